package dev.kvshift.testkit.clause;

import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.Permanent;
import dev.kvshift.api.KvException.Transient;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Metadata: small records with compare-and-set, among them the records of collections. */
@Needs(Capability.METADATA)
public abstract class MetadataClause extends Clause {
  @Test
  void get_neverSet_isNull() {
    assertThat(get(name())).isNull();
  }

  @Test
  void compareAndSet_expectedNone_createsOnce() {
    String name = name();
    assertThat(set(name, null, hex("01"))).isTrue();
    assertThat(set(name, null, hex("02"))).isFalse();
    assertThat(get(name)).isEqualTo(hex("01"));
  }

  @Test
  void compareAndSet_expectedValue_replacesIt() {
    String name = name();
    set(name, null, hex("01"));
    assertThat(set(name, hex("02"), hex("03"))).isFalse();
    assertThat(set(name, hex("01"), hex("03"))).isTrue();
    assertThat(get(name)).isEqualTo(hex("03"));
    assertThat(set(name, hex("01"), hex("04"))).isFalse();
    assertThat(get(name)).isEqualTo(hex("03"));
  }

  @Test
  void compareAndSet_toNone_removesIt() {
    String name = name();
    set(name, null, hex("01"));
    assertThat(set(name, hex("02"), null)).isFalse();
    assertThat(set(name, hex("01"), null)).isTrue();
    assertThat(get(name)).isNull();
    assertThat(set(name, hex("01"), hex("02"))).isFalse();
    assertThat(set(name, null, hex("02"))).isTrue();
    assertThat(get(name)).isEqualTo(hex("02"));
  }

  @Test
  void compareAndSet_sameValue_succeeds() {
    String name = name();
    set(name, null, hex("01"));
    assertThat(set(name, hex("01"), hex("01"))).isTrue();
    assertThat(get(name)).isEqualTo(hex("01"));
  }

  @Test
  void compareAndSet_emptyRecord_isNotNone() {
    String name = name();
    assertThat(set(name, null, Bytes.empty())).isTrue();
    assertThat(get(name)).isEqualTo(Bytes.empty());
    assertThat(set(name, null, hex("01"))).isFalse();
    assertThat(set(name, Bytes.empty(), hex("01"))).isTrue();
  }

  @Test
  void compareAndSet_manyAtOnce_oneWins() {
    String name = name();
    List<CompletionStage<Boolean>> attempts = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      attempts.add(store().metadata().compareAndSet(name, null, Bytes.of((byte) i)));
    }
    int winner = -1;
    for (int i = 0; i < attempts.size(); i++) {
      if (join(attempts.get(i))) {
        assertThat(winner).isEqualTo(-1);
        winner = i;
      }
    }
    assertThat(get(name)).isEqualTo(Bytes.of((byte) winner));
  }

  @Test
  void compareAndSet_countersFromTwoConnections_loseNoIncrement() {
    String name = name();
    set(name, null, Bytes.utf8("0"));
    try (Store other = tested().fixture.open()) {
      for (int i = 0; i < 20; i++) {
        increment(store().metadata(), name);
        increment(other.metadata(), name);
      }
    }
    assertThat(get(name)).isEqualTo(Bytes.utf8("40"));
  }

  @Test
  void compareAndSet_largestRecord_isTakenAndALargerOneRefused() {
    String name = name();
    Bytes largest = Bytes.of(new byte[Metadata.MAX_RECORD_BYTES]);
    assertThat(set(name, null, largest)).isTrue();
    assertThat(get(name)).isEqualTo(largest);
    Bytes larger = Bytes.of(new byte[Metadata.MAX_RECORD_BYTES + 1]);
    assertPermanent(() -> store().metadata().compareAndSet(name, largest, larger));
    assertThat(get(name)).isEqualTo(largest);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "A/b", "kit/B", "kit/a b", "kit/ä", "/a"})
  void get_wrongName_isPermanent(String name) {
    assertPermanent(() -> store().metadata().get(name));
    assertPermanent(() -> store().metadata().compareAndSet(name, null, hex("01")));
  }

  @Test
  void get_longestName_isTakenAndALongerOneRefused() {
    String name = name();
    String longest = name + "a".repeat(256 - name.length());
    assertThat(set(longest, null, hex("01"))).isTrue();
    assertThat(get(longest)).isEqualTo(hex("01"));
    assertPermanent(() -> store().metadata().get(longest + "a"));
  }

  @Test
  void list_prefix_givesItsRecordsInOrder() {
    String group = name() + "/";
    Map<String, Bytes> expected = new TreeMap<>();
    for (String each : List.of("b", "a", "a/x", "a-x", "c:1", "a.b", "10", "9")) {
      set(group + each, null, Bytes.utf8(each));
      expected.put(group + each, Bytes.utf8(each));
    }
    set(name() + "/other", null, hex("01"));
    assertThat(join(store().metadata().list(group, "", 100))).containsExactlyEntriesOf(expected);
    assertThat(join(store().metadata().committed().list(group, "", 100)))
        .containsExactlyEntriesOf(expected);
    assertThat(join(store().metadata().list(group + "a", "", 100)).keySet())
        .containsExactly(group + "a", group + "a-x", group + "a.b", group + "a/x");
    assertThat(join(store().metadata().list(group + "none", "", 100))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 25, 26, 1_000})
  void list_pages_giveEveryRecordOnce(int limit) {
    String group = name() + "/";
    List<String> expected = new ArrayList<>();
    for (int i = 10; i < 35; i++) {
      set(group + i, null, hex("01"));
      expected.add(group + i);
    }
    List<String> found = new ArrayList<>();
    String after = "";
    while (true) {
      var page = join(store().metadata().list(group, after, limit));
      assertThat(page).hasSizeLessThanOrEqualTo(limit);
      found.addAll(page.keySet());
      assertThat(found).hasSizeLessThanOrEqualTo(expected.size());
      if (page.size() < limit) {
        break;
      }
      after = page.lastKey();
    }
    assertThat(found).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 1_001})
  void list_limitOutOfRange_isRefused(int limit) {
    assertInvalid(() -> store().metadata().list(name() + "/", "", limit));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "kit", "/"})
  void list_prefixWithoutAGroup_isRefused(String prefix) {
    assertInvalid(() -> store().metadata().list(prefix, "", 10));
  }

  @Test
  void list_removedRecords_areLeftOut() {
    String group = name() + "/";
    set(group + "a", null, hex("01"));
    set(group + "b", null, hex("02"));
    set(group + "a", hex("01"), null);
    assertThat(join(store().metadata().list(group, "", 10)))
        .containsExactly(Map.entry(group + "b", hex("02")));
  }

  @Test
  void open_claims_refuseEachOther() {
    String importing = tested().freshName();
    join(store().open(importing, pointLayout(), Claim.importing(COPY)));
    assertThat(record(importing)).isEqualTo(CollectionRecord.importing(pointLayout(), COPY));
    Await.failure(Permanent.class, () -> store().open(importing, pointLayout(), Claim.ACTIVE));
    Await.failure(Permanent.class, () -> tested().view.collection(importing, pointLayout()));
    join(store().open(importing, pointLayout(), Claim.importing(COPY)));
    join(store().open(importing, pointLayout(), Claim.NONE));
    String active = tested().freshName();
    join(store().open(active, pointLayout(), Claim.ACTIVE));
    assertThat(record(active)).isEqualTo(CollectionRecord.live(pointLayout()));
    Await.failure(
        Permanent.class, () -> store().open(active, pointLayout(), Claim.importing(COPY)));
    join(store().open(active, pointLayout(), Claim.ACTIVE));
    join(store().open(active, pointLayout(), Claim.NONE));
  }

  @Test
  @Needs({Capability.METADATA, Capability.VERSIONED_WRITES})
  void open_forReading_waitsUntilTheCopyIsOpened() {
    String name = tested().freshName();
    Await.failure(Permanent.class, () -> store().open(name, pointLayout(), Claim.READ));
    assertThat(get(CollectionRecord.metadataName(name))).isNull();
    StoreKey key = freshKey();
    long version = versionAgo(Duration.ofMinutes(1));
    StoreCollection importing = join(store().open(name, pointLayout(), Claim.importing(COPY)));
    write(importing, key, Mutation.put(hex("01")).withVersion(version));
    Await.failure(Transient.class, () -> store().open(name, pointLayout(), Claim.READ));
    assertPermanent(
        () -> CollectionRecord.openToReaders(store().metadata(), name, Copy.draw("another")));
    join(CollectionRecord.openToReaders(store().metadata(), name, COPY));
    join(store().open(name, pointLayout(), Claim.importing(COPY)));
    StoreCollection reader = join(store().open(name, pointLayout(), Claim.READ));
    assertThat(read(reader, key)).isEqualTo(Row.of(key, version, hex("01"), null));
    assertPermanent(
        () -> reader.write(key, Mutation.put(hex("02")).withVersion(version + 1), call()));
    assertThat(read(reader, key)).isEqualTo(Row.of(key, version, hex("01"), null));
    Await.failure(Permanent.class, () -> store().open(name, pointLayout(), Claim.ACTIVE));
    join(store().activate(name, COPY, version + 1));
    join(store().open(name, pointLayout(), Claim.READ));
  }

  @Test
  void open_anotherLayout_isPermanentAndNamesBoth() {
    String name = tested().freshName();
    Layout mine = Layout.point();
    Layout other = mine.withEncoding(0);
    join(store().open(name, mine, Claim.ACTIVE));
    for (Claim claim : List.of(Claim.ACTIVE, Claim.NONE, Claim.READ)) {
      assertThat(Await.failure(Permanent.class, () -> store().open(name, other, claim)))
          .hasMessageContaining(mine.toString())
          .hasMessageContaining(other.toString());
    }
  }

  @Test
  void open_claimNoneOfANewCollection_isPermanentAndMakesNothing() {
    String name = tested().freshName();
    Await.failure(Permanent.class, () -> store().open(name, pointLayout(), Claim.NONE));
    assertThat(get(CollectionRecord.metadataName(name))).isNull();
  }

  @Test
  @Needs({Capability.METADATA, Capability.VERSIONED_WRITES})
  void importing_takesVersionedWritesOnly() {
    StoreCollection collection =
        join(store().open(tested().freshName(), pointLayout(), Claim.importing(COPY)));
    StoreKey key = freshKey();
    assertPermanent(() -> collection.write(key, Mutation.put(hex("01")), call()));
    assertThat(read(collection, key)).isNull();
    long version = versionAgo(Duration.ofDays(400));
    write(collection, key, Mutation.put(hex("02")).withVersion(version));
    assertThat(read(collection, key)).isEqualTo(Row.of(key, version, hex("02"), null));
  }

  @Test
  void activate_importing_letsServicesWriteAboveTheFloor() {
    String name = tested().freshName();
    join(store().open(name, pointLayout(), Claim.importing(COPY)));
    long floor = VersionClock.micros(serverTime()) + 300_000;
    CollectionRecord active = CollectionRecord.importing(pointLayout(), COPY).activated(floor);
    assertThat(join(store().activate(name, COPY, floor))).isEqualTo(active);
    assertThat(record(name)).isEqualTo(active);
    StoreCollection collection = join(store().open(name, pointLayout(), Claim.ACTIVE));
    StoreKey key = freshKey();
    long version = write(collection, key, Mutation.put(hex("01")));
    assertThat(version).isGreaterThan(floor);
    assertThat(read(collection, key)).isEqualTo(Row.of(key, version, hex("01"), null));
  }

  @Test
  void activate_again_isTheSame_andAnotherFloorIsPermanent() {
    String name = tested().freshName();
    join(store().open(name, pointLayout(), Claim.importing(COPY)));
    long floor = versionAgo(Duration.ofMinutes(1));
    CollectionRecord active = join(store().activate(name, COPY, floor));
    assertThat(join(store().activate(name, COPY, floor))).isEqualTo(active);
    assertPermanent(() -> store().activate(name, COPY, floor + 1));
    assertPermanent(() -> store().activate(name, Copy.draw("another"), floor));
    assertPermanent(() -> store().activate(tested().freshName(), COPY, floor));
    assertThat(record(name)).isEqualTo(active);
  }

  @Test
  void open_importingAnotherCopy_isPermanent() {
    String name = tested().freshName();
    join(store().open(name, pointLayout(), Claim.importing(COPY)));
    Copy other = Copy.draw("another");
    Await.failure(Permanent.class, () -> store().open(name, pointLayout(), Claim.importing(other)));
    assertThat(record(name)).isEqualTo(CollectionRecord.importing(pointLayout(), COPY));
  }

  @Test
  void activate_neverMigrated_isPermanentAndStaysSo() {
    String name = tested().freshName();
    join(store().open(name, pointLayout(), Claim.ACTIVE));
    assertPermanent(() -> store().activate(name, COPY, versionAgo(Duration.ofMinutes(1))));
    assertThat(record(name)).isEqualTo(CollectionRecord.live(pointLayout()));
  }

  @Test
  @Needs({Capability.METADATA, Capability.VERSIONED_WRITES})
  void restart_importing_beginsTheNextIncarnationEmpty() {
    String name = tested().freshName();
    StoreCollection first = join(store().open(name, pointLayout(), Claim.importing(COPY)));
    StoreKey key = freshKey();
    write(first, key, Mutation.put(hex("01")).withVersion(versionAgo(Duration.ofMinutes(1))));
    Copy next = Copy.draw("kit");
    CollectionRecord begun = CollectionRecord.importing(pointLayout(), next).withIncarnation(2);
    assertThat(join(store().restart(name, pointLayout(), COPY, next))).isEqualTo(begun);
    assertThat(join(store().restart(name, pointLayout(), COPY, next))).isEqualTo(begun);
    assertPermanent(() -> store().restart(name, pointLayout(), COPY, Copy.draw("kit")));
    assertPermanent(() -> store().activate(name, COPY, versionAgo(Duration.ofMinutes(1))));
    StoreCollection second = join(store().open(name, pointLayout(), Claim.importing(next)));
    assertThat(read(second, key)).isNull();
  }

  @Test
  @Needs({Capability.METADATA, Capability.VERSIONED_WRITES, Capability.DROP})
  void restart_oldCopyDropped_itsReadersNeverReadItAgain() {
    String name = tested().freshName();
    StoreKey key = freshKey();
    long version = versionAgo(Duration.ofMinutes(1));
    StoreCollection first = join(store().open(name, pointLayout(), Claim.importing(COPY)));
    write(first, key, Mutation.put(hex("01")).withVersion(version));
    join(CollectionRecord.openToReaders(store().metadata(), name, COPY));
    StoreCollection reader = join(store().open(name, pointLayout(), Claim.READ));
    assertThat(read(reader, key)).isEqualTo(Row.of(key, version, hex("01"), null));
    Copy next = Copy.draw("kit");
    join(store().restart(name, pointLayout(), COPY, next));
    join(store().drop(name, 1));
    Await.failure(() -> reader.get(key, call()));
    StoreCollection second = join(store().open(name, pointLayout(), Claim.importing(next)));
    write(second, key, Mutation.put(hex("02")).withVersion(version));
    join(CollectionRecord.openToReaders(store().metadata(), name, next));
    Row row = Row.of(key, version, hex("02"), null);
    Await.until("the reader follows, or asks to be opened again", () -> follows(reader, row));
    StoreCollection again = join(store().open(name, pointLayout(), Claim.READ));
    assertThat(read(again, key)).isEqualTo(row);
  }

  /** Returns whether a reader has ended: it returns the next copy's row, or fails for good. */
  private static boolean follows(StoreCollection reader, Row row) {
    try {
      assertThat(read(reader, row.key())).isEqualTo(row);
      return true;
    } catch (KvException e) {
      return e instanceof Permanent;
    }
  }

  @Test
  void restart_active_isPermanent() {
    String name = tested().freshName();
    join(store().open(name, pointLayout(), Claim.importing(COPY)));
    CollectionRecord active = join(store().activate(name, COPY, versionAgo(Duration.ofMinutes(1))));
    assertPermanent(() -> store().restart(name, pointLayout(), COPY, Copy.draw("kit")));
    assertThat(record(name)).isEqualTo(active);
  }

  @Test
  void drop_thenNextIncarnation_beginsEmpty() {
    String name = tested().freshName();
    StoreCollection first = join(store().open(name, pointLayout(), Claim.ACTIVE));
    StoreKey key = freshKey();
    write(first, key, Mutation.put(hex("01")));
    CollectionRecord now = record(name);
    CollectionRecord next = CollectionRecord.live(pointLayout()).withIncarnation(2);
    assertThat(set(CollectionRecord.metadataName(name), now.print(), next.print())).isTrue();
    join(store().drop(name, 1));
    StoreCollection second = join(store().open(name, pointLayout(), Claim.ACTIVE));
    assertThat(read(second, key)).isNull();
    long version = write(second, key, Mutation.put(hex("02")));
    assertThat(read(second, key)).isEqualTo(Row.of(key, version, hex("02"), null));
    Await.failure(() -> first.write(key, Mutation.put(hex("03")), call()));
    join(store().drop(name, 1));
    assertThat(read(second, key)).isEqualTo(Row.of(key, version, hex("02"), null));
  }

  private static void increment(Metadata metadata, String name) {
    while (true) {
      Bytes now = Objects.requireNonNull(Await.<@Nullable Bytes>join(metadata.get(name)));
      Bytes next = Bytes.utf8(Integer.toString(Integer.parseInt(now.toUtf8()) + 1));
      if (join(metadata.compareAndSet(name, now, next))) {
        return;
      }
    }
  }

  private CollectionRecord record(String collection) {
    return Objects.requireNonNull(
        Await.<@Nullable CollectionRecord>join(
            CollectionRecord.read(store().metadata(), collection)));
  }

  private String name() {
    return "kit/" + freshMain().toHex();
  }

  /** Returns a record, which all acknowledged changes have left as it is. */
  private @Nullable Bytes get(String name) {
    Bytes record = Await.<@Nullable Bytes>join(store().metadata().get(name));
    assertThat(Await.<@Nullable Bytes>join(store().metadata().committed().get(name)))
        .isEqualTo(record);
    return record;
  }

  private boolean set(String name, @Nullable Bytes expected, @Nullable Bytes next) {
    return join(store().metadata().compareAndSet(name, expected, next));
  }
}
