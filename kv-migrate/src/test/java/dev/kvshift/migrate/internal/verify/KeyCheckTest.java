package dev.kvshift.migrate.internal.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.Difference.Kind;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.context.TargetCollection;
import dev.kvshift.migrate.internal.context.WorkerPool;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Single keys on two stores, whose rows change while the check waits. */
final class KeyCheckTest {
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("main"), Bytes.utf8("clustering"));
  private static final Layout LAYOUT = Layout.range(ShardRule.none());

  private final Store source = MemoryStoreProvider.open("source-" + UUID.randomUUID());
  private final Store target = MemoryStoreProvider.open("target-" + UUID.randomUUID());
  private final StoreCollection from = Await.of(source.open("files", LAYOUT, Claim.ACTIVE));
  private final StoreCollection to = Await.of(target.open("files", LAYOUT, Claim.ACTIVE));
  private final MovingClock clock = new MovingClock();
  private final WorkerPool workers = new WorkerPool("test");

  /** The events while the check waits for changes to be applied, once each. */
  private final List<Runnable> whileSettling = new ArrayList<>();

  private int settled;

  @AfterEach
  void close() {
    workers.close();
    source.close();
    target.close();
  }

  @Test
  void check_sameRow_isEqual() {
    put(from, 5, "value");
    put(to, 5, "value");

    assertThat(difference()).isNull();
    assertThat(settled).isEqualTo(1);
  }

  @Test
  void check_keyUnknownToTheSource_isForeignForADay() {
    long dayAgo = VersionClock.micros(clock.instant().minus(Duration.ofDays(1)));
    put(to, dayAgo, "old");
    assertThat(difference()).isEqualTo(new Difference(KEY, Kind.EXTRA, none(), at(dayAgo)));

    put(to, dayAgo + 1, "foreign");
    assertThat(difference())
        .isEqualTo(new Difference(KEY, Kind.EXTRA, none(), at(dayAgo + 1), true))
        .hasToString("extra (foreign) main=6d61696e clustering=636c7573746572696e67");
  }

  @Test
  void check_noRowOrTombstones_isEqual() {
    assertThat(difference()).isNull();
    delete(from, 5);
    assertThat(difference()).isNull();
    delete(to, 4);
    assertThat(difference()).isNull();
  }

  @Test
  void check_liveOnTheSourceOnly_isMissing() {
    put(from, 5, "value");
    assertThat(difference()).isEqualTo(new Difference(KEY, Kind.MISSING, at(5), none()));

    delete(to, 6);
    assertThat(difference()).isEqualTo(new Difference(KEY, Kind.MISSING, at(5), at(6), true));
  }

  @Test
  void check_otherValueOrVersion_isDifferent() {
    put(from, 5, "value");
    put(to, 5, "other");
    assertThat(difference()).isEqualTo(new Difference(KEY, Kind.DIFFERENT, at(5), at(5)));

    put(to, 6, "value");
    assertThat(difference()).isEqualTo(new Difference(KEY, Kind.DIFFERENT, at(5), at(6), true));
  }

  @Test
  void check_otherExpiry_isDifferent() {
    write(from, 5, Mutation.put(Bytes.utf8("value")));
    write(to, 5, Mutation.put(Bytes.utf8("value")).withExpiry(clock.instant().plusSeconds(60)));

    assertThat(difference()).isEqualTo(new Difference(KEY, Kind.DIFFERENT, at(5), at(5)));
  }

  @Test
  void check_liveOnTheTargetOnly_isExtraUnlessTheSourceDeletedItLater() {
    put(to, 5, "value");
    assertThat(difference()).isEqualTo(new Difference(KEY, Kind.EXTRA, none(), at(5)));

    delete(from, 4);
    assertThat(difference()).isEqualTo(new Difference(KEY, Kind.EXTRA, at(4), at(5), true));
  }

  @Test
  void check_deletedAtTheSameVersionOrLater_isResurrected() {
    put(to, 5, "value");
    delete(from, 5);
    assertThat(difference()).isEqualTo(new Difference(KEY, Kind.RESURRECTED, at(5), at(5)));

    delete(from, 6);
    assertThat(difference()).isEqualTo(new Difference(KEY, Kind.RESURRECTED, at(6), at(5)));
  }

  @Test
  void check_changeAppliedWhileSettling_isEqual() {
    put(from, 5, "value");
    whileSettling.add(() -> put(to, 5, "value"));

    assertThat(difference()).isNull();
    assertThat(settled).isEqualTo(1);
  }

  @Test
  void check_sourceChangedWhileSettling_isEqualToTheFormerRow() {
    put(from, 5, "value");
    put(to, 5, "value");
    whileSettling.add(() -> put(from, 6, "later"));

    assertThat(difference()).isNull();
    assertThat(settled).isEqualTo(1);
  }

  @Test
  void check_movingKey_isReadAgainUntilItAgrees() {
    put(from, 5, "value");
    whileSettling.add(() -> put(from, 6, "later"));
    whileSettling.add(() -> put(from, 7, "later still"));
    whileSettling.add(() -> put(to, 7, "later still"));

    assertThat(difference()).isNull();
    assertThat(settled).isEqualTo(3);
  }

  @Test
  void check_keyThatNoLongerMoves_isJudged() {
    put(from, 5, "value");
    whileSettling.add(() -> put(from, 6, "later"));

    assertThat(difference()).isEqualTo(new Difference(KEY, Kind.MISSING, at(6), none()));
    assertThat(settled).isEqualTo(2);
  }

  @Test
  void check_aboutToExpire_isReadAgainOnceItHasExpired() {
    expiring(clock.instant().plusMillis(249));
    whileSettling.add(() -> {});
    whileSettling.add(() -> clock.now = clock.now.plusMillis(600));

    assertThat(difference()).isNull();
    assertThat(settled).isEqualTo(2);
  }

  @Test
  void check_expiryNoClockDisagreesAbout_isJudgedAtOnce() {
    expiring(clock.instant().plusMillis(250));

    assertThat(difference()).isEqualTo(new Difference(KEY, Kind.MISSING, at(5), none()));
    assertThat(settled).isEqualTo(1);
  }

  @Test
  void check_settlingFails_throws() {
    IllegalStateException failure = new IllegalStateException("the stream has failed");
    whileSettling.add(
        () -> {
          throw failure;
        });

    assertThatThrownBy(this::difference).isSameAs(failure);
  }

  @Test
  void check_manyKeys_returnsTheirVerdictsInOrder() {
    List<StoreKey> keys = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      StoreKey key = StoreKey.of(Bytes.utf8("main"), Bytes.utf8("key-" + i));
      keys.add(key);
      if (i % 2 == 0) {
        Await.of(to.write(key, Mutation.put(Bytes.utf8("value")).withVersion(5L), call()));
      }
    }

    List<KeyCheck.Verdict> verdicts = check().check(keys);

    assertThat(verdicts).extracting(KeyCheck.Verdict::key).isEqualTo(keys);
    for (int i = 0; i < 600; i++) {
      assertThat(verdicts.get(i).difference() == null).as("key %d", i).isEqualTo(i % 2 != 0);
    }
    assertThat(KeyCheck.differences(verdicts)).hasSize(300).doesNotContainNull();
    assertThat(check().compare(keys)).isEqualTo(verdicts);
  }

  /** Puts a row that expires on the source; the target never gets it. */
  private void expiring(Instant expiry) {
    write(from, 5, Mutation.put(Bytes.utf8("value")).withExpiry(expiry));
  }

  private @Nullable Difference difference() {
    List<KeyCheck.Verdict> verdicts = check().check(List.of(KEY));
    assertThat(verdicts).hasSize(1);
    return verdicts.get(0).difference();
  }

  private KeyCheck check() {
    settled = 0;
    RunContext context =
        new RunContext(
            "files",
            LAYOUT,
            new SourceCollection(source, from, 0),
            new TargetCollection(target, to, null),
            MigrationOptions.builder().patience(Duration.ofMillis(1)).build(),
            clock,
            workers);
    return new KeyCheck(
        context,
        () -> {
          settled++;
          if (!whileSettling.isEmpty()) {
            whileSettling.remove(0).run();
          }
        });
  }

  private static void put(StoreCollection collection, long version, String value) {
    write(collection, version, Mutation.put(Bytes.utf8(value)));
  }

  private static void delete(StoreCollection collection, long version) {
    write(collection, version, Mutation.delete());
  }

  private static void write(StoreCollection collection, long version, Mutation mutation) {
    Await.of(collection.write(KEY, mutation.withVersion(version), call()));
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }

  private static OptionalLong at(long version) {
    return OptionalLong.of(version);
  }

  private static OptionalLong none() {
    return OptionalLong.empty();
  }

  /**
   * Stands still until a test moves it. Begins in the stores' future, so that nothing expires
   * there.
   */
  private static final class MovingClock extends Clock {
    /** Whole milliseconds, as an expiry has: the bounds of the tests lie exactly there. */
    volatile Instant now = Instant.now().plusSeconds(3_600).truncatedTo(ChronoUnit.MILLIS);

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneId.of("UTC");
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }
}
