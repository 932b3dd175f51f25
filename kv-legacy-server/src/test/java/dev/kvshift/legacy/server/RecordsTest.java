package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static dev.kvshift.legacy.server.Stores.unhurried;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests of a collection that moves to the legacy store: a migration alone fills it, and its leader
 * leads afterwards, above all that it has got.
 */
final class RecordsTest {
  private static final Layout LAYOUT = Layout.point();
  private static final Copy COPY = Copy.draw("elsewhere");
  private static final Bytes COPY_BYTES = Bytes.utf8(COPY.toString());
  private static final int AT_ONCE = 10_000;
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("key"), Bytes.empty());
  private static final Mutation VALUE = Mutation.put(Bytes.utf8("value"));
  private static final String FILLED = "collection files is being filled by a migration";

  @TempDir private Path directory;
  private RunningServer server;
  private Store kept;
  private Store plain;

  @BeforeEach
  void start() {
    server =
        RunningServer.start(
            EngineOptions.of(directory.resolve("store"), 4), ServerOptions.loopback(0));
    kept = Stores.open("legacy://" + server.address() + "?records=kept");
    plain = Stores.open("legacy://" + server.address());
  }

  @AfterEach
  void stop() {
    kept.close();
    plain.close();
    server.close();
  }

  private static StoreCollection open(Store store, Claim claim) {
    return await(store.open("files", LAYOUT, claim));
  }

  private static Row read(StoreCollection files) {
    return await(files.get(KEY, unhurried()));
  }

  private static long write(StoreCollection files, Mutation mutation) {
    return await(files.write(KEY, mutation, unhurried()));
  }

  private long micros(Duration fromNow) {
    return VersionClock.micros(await(kept.serverTime()).plus(fromNow));
  }

  @Test
  void importing_untilItIsActive_takesVersionedWritesOfTheMigrationAlone() {
    write(open(kept, Claim.importing(COPY)), VALUE.withVersion(micros(Duration.ofDays(-400))));
    for (int life = 0; life < 2; life++) {
      assertThatThrownBy(() -> open(plain, Claim.ACTIVE))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining(FILLED);
      assertThatThrownBy(() -> open(plain, Claim.READ))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining(FILLED);
      StoreCollection filled = open(kept, Claim.NONE);
      Row row = read(filled);
      assertThatThrownBy(() -> write(filled, Mutation.delete()))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining(FILLED);
      assertThatThrownBy(() -> await(filled.gate().reassert(KEY, 0)))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining(FILLED);
      assertThat(read(filled)).isEqualTo(row);
      stop();
      start();
    }
    await(kept.drop("files", 1));
    assertThatThrownBy(() -> open(plain, Claim.ACTIVE)).hasMessageContaining(FILLED);
  }

  @Test
  void activate_clocksAhead_leaderDrawsAboveWhatItHasGot() {
    StoreCollection filled = open(kept, Claim.importing(COPY));
    long ahead = write(filled, VALUE.withVersion(micros(Duration.ofMillis(900))));
    await(kept.activate("files", COPY, 1));
    StoreCollection led = open(plain, Claim.ACTIVE);
    long version = write(led, Mutation.put(Bytes.utf8("led")));
    assertThat(version).isGreaterThan(ahead);
    write(open(kept, Claim.NONE), VALUE.withVersion(ahead)); // late, drawn before the end
    assertThat(read(led)).isEqualTo(Row.of(KEY, version, Bytes.utf8("led"), null));
    assertThat(await(led.gate().state()).isLed()).isTrue();
  }

  @Test
  void activate_floorAhead_leaderDrawsAboveIt() {
    open(kept, Claim.importing(COPY));
    long floor = micros(Duration.ofMillis(600));
    await(kept.activate("files", COPY, floor));
    stop();
    start();
    assertThat(write(open(plain, Claim.ACTIVE), VALUE)).isGreaterThan(floor);
  }

  @Test
  void restart_formerIncarnation_isNeitherOpenedNorDroppedAgain() {
    open(kept, Claim.importing(COPY));
    Copy next = Copy.draw("elsewhere");
    await(kept.restart("files", LAYOUT, COPY, next));
    StoreCollection second = open(kept, Claim.importing(next));
    long version = write(second, VALUE.withVersion(1L));
    await(kept.drop("files", 1));
    assertThat(read(second)).isEqualTo(Row.of(KEY, version, Bytes.utf8("value"), null));
    assertThatThrownBy(() -> await(server.engine().collection("files", 1)))
        .isInstanceOf(KvException.Transient.class)
        .hasMessage("collection files was begun again meanwhile: open it again");
    assertThat(await(server.engine().collection("files", 2)).name()).isEqualTo("files");
    assertThatThrownBy(() -> await(server.engine().collection("other", 1)))
        .isInstanceOf(KvException.Transient.class);
  }

  @Test
  void read_versionAhead_isFollowedByTheClockThatDraws() {
    StoreCollection filled = open(kept, Claim.importing(COPY));
    long ahead = write(filled, VALUE.withVersion(micros(Duration.ofMillis(600))));
    read(filled);
    assertThat(VersionClock.ofProcess().last()).isGreaterThanOrEqualTo(ahead);
  }

  @Test
  void activate_floorFarAhead_isRefusedAndChangesNothing() {
    open(kept, Claim.importing(COPY));
    assertThatThrownBy(() -> await(kept.activate("files", COPY, micros(Duration.ofMinutes(1)))))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("ahead of the server's clock");
    assertThat(await(CollectionRecord.read(kept.metadata(), "files")))
        .isEqualTo(CollectionRecord.importing(LAYOUT, COPY));
    assertThatThrownBy(() -> open(plain, Claim.ACTIVE)).hasMessageContaining(FILLED);
  }

  @Test
  void importing_collectionOfTheLeader_isRefusedAndKeepsItsRows() {
    StoreCollection used = open(plain, Claim.ACTIVE);
    long version = write(used, VALUE);
    assertThatThrownBy(() -> open(kept, Claim.importing(COPY)))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("collection files is in use on this store");
    assertThat(await(kept.metadata().get(CollectionRecord.metadataName("files")))).isNull();
    assertThat(read(used)).isEqualTo(Row.of(KEY, version, Bytes.utf8("value"), null));
  }

  @Test
  void importing_collectionThatWasOpenedAndNotUsed_isAnotherOne() {
    StoreCollection before = open(plain, Claim.ACTIVE);
    open(kept, Claim.importing(COPY));
    assertThatThrownBy(() -> write(before, VALUE)).isInstanceOf(KvException.Permanent.class);
    assertThatThrownBy(() -> read(before)).isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void record_ofAnImport_cannotBeRemovedOrTakenBack() {
    open(kept, Claim.importing(COPY));
    String name = CollectionRecord.metadataName("files");
    Bytes importing = await(kept.metadata().get(name));
    assertThatThrownBy(() -> await(kept.metadata().compareAndSet(name, importing, null)))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("end its import, or begin it again");
    CollectionRecord active = await(kept.activate("files", COPY, 1));
    assertThatThrownBy(() -> await(kept.metadata().compareAndSet(name, active.print(), importing)))
        .isInstanceOf(KvException.Permanent.class);
    write(open(plain, Claim.ACTIVE), VALUE);
  }

  @Test
  void list_moreBytesThanAPage_givesThemAll() {
    Bytes large = Bytes.of(new byte[60_000]);
    for (int i = 10; i < 60; i++) {
      await(kept.metadata().compareAndSet("large/" + i, null, large));
    }
    assertThat(await(kept.metadata().list("large/", "", 1_000))).hasSize(50);
    assertThat(await(kept.metadata().list("large/", "large/19", 30)))
        .hasSize(30)
        .containsKeys("large/20", "large/49");
  }

  @Test
  void compareAndSet_tooManyRecords_isRefusedUntilOneIsRemoved() {
    int left = LegacyLimits.MAX_RECORDS;
    while (left > 0) {
      List<CompletableFuture<Boolean>> made = new ArrayList<>();
      for (int i = 0; i < AT_ONCE; i++) {
        made.add(server.engine().metadata().compareAndSet("many/" + left--, null, Bytes.empty()));
      }
      made.forEach(Stores::await);
    }
    stop();
    start();
    assertThatThrownBy(() -> await(kept.metadata().compareAndSet("more/1", null, Bytes.empty())))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("the store has 100000 metadata records");
    assertThat(await(kept.metadata().compareAndSet("many/1", Bytes.empty(), COPY_BYTES))).isTrue();
    assertThat(await(kept.metadata().compareAndSet("many/1", COPY_BYTES, null))).isTrue();
    assertThat(await(kept.metadata().compareAndSet("more/1", null, Bytes.empty()))).isTrue();
    assertThatThrownBy(() -> await(kept.metadata().compareAndSet("more/2", null, Bytes.empty())))
        .isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void open_recordsOfAnotherKind_isRefused() {
    assertThatThrownBy(() -> Stores.open("legacy://" + server.address() + "?records=all").close())
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("records=all");
  }
}
