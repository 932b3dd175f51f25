package dev.kvshift.scylla;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import dev.kvshift.Locks;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.api.ShardRule;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The outcome of a write under a lock that is lost before any of the write's requests. */
final class LockedWriteTest {
  private static final Duration LONG = Duration.ofMinutes(5);
  private static final String SPACE = "written";
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("key"), Bytes.empty());

  private final String keyspace = TestStores.newKeyspace();
  private Store store;
  private Store other;
  private StoreCollection points;

  @BeforeEach
  void open() {
    other = TestStores.open(keyspace);
    Settings settings = Settings.of(TestStores.string(keyspace, ""));
    OptionsMap options = Sessions.options(settings);
    options.put(TypedDriverOption.REQUEST_THROTTLER_CLASS, GatedThrottler.class.getName());
    store = ScyllaStore.open(settings, VersionClock.ofProcess(), KvObserver.NONE, options);
    points = open(store);
  }

  @AfterEach
  void close() {
    GatedThrottler.disarm();
    store.close();
    other.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void write_lockLostBeforeItIsSeenToBeHeld_isRefused(int request) {
    Lock lock = take(store, Locks.MIN_LEASE);
    GatedThrottler.before(request, this::countAsAnother);
    assertThatThrownBy(() -> write(lock, "mine")).isInstanceOf(KvException.Permanent.class);
    assertThat(GatedThrottler.isArmed()).isFalse();
    assertThat(value(points)).isEqualTo(":other");
  }

  @Test
  void write_lockLostBeforeItIsSent_isUnknownAndHidden() {
    Lock lock = take(store, Locks.MIN_LEASE);
    GatedThrottler.before(3, this::countAsAnother);
    assertThatThrownBy(() -> write(lock, "mine")).isInstanceOf(KvException.UnknownOutcome.class);
    assertThat(value(points)).isEqualTo(":other");
  }

  @Test
  void write_lockLostBeforeTheAnswer_isUnknownAndVisible() {
    Lock lock = take(store, Locks.MIN_LEASE);
    GatedThrottler.before(4, this::countAsAnother);
    assertThatThrownBy(() -> write(lock, "mine")).isInstanceOf(KvException.UnknownOutcome.class);
    assertThat(value(points)).isEqualTo("mine:other");
  }

  @Test
  void write_heldButNotToBeReadAfterwards_isUnknown() {
    Lock lock = take(store, LONG);
    GatedThrottler.before(
        4,
        () -> {
          throw new IllegalStateException("refused by the test");
        });
    assertThatThrownBy(() -> write(lock, "mine")).isInstanceOf(KvException.UnknownOutcome.class);
    assertThat(value(points)).isEqualTo("mine");
  }

  @Test
  void write_givenBackBeforeItIsSent_isRefused() {
    Lock lock = take(store, LONG);
    GatedThrottler.before(2, () -> await(store.locks(SPACE).release(lock, call())));
    assertThatThrownBy(() -> write(lock, "mine")).isInstanceOf(KvException.Permanent.class);
    assertThat(value(points)).isEmpty();
  }

  @Test
  void write_leaseEndedAndNobodyElseCame_isWritten() {
    Lock lock = take(store, Locks.MIN_LEASE);
    while (!await(store.serverTime()).isAfter(lock.expires())) {
      Thread.onSpinWait();
    }
    write(lock, "mine");
    assertThat(value(points)).isEqualTo("mine");
  }

  @Test
  void write_lockOfAnotherStore_isRefused() {
    Lock lock = take(other, LONG);
    assertThatThrownBy(() -> write(lock, "mine")).isInstanceOf(KvException.Permanent.class);
    assertThat(value(points)).isEmpty();
  }

  @Test
  void writeAll_underALockGivenBack_isRefusedForEach() {
    StoreCollection ranges =
        await(store.open("ranges", Layout.range(ShardRule.none()), Claim.ACTIVE));
    StoreKey beside = StoreKey.of(KEY.main(), Bytes.utf8("beside"));
    Lock lock = take(store, LONG);
    Mutation locked = Mutation.put(Bytes.utf8("mine")).withLock(lock);
    ranges
        .writeAll(Map.of(KEY, locked, beside, locked), call())
        .forEach(
            (key, version) ->
                assertThat(await(version)).isBetween(lock.token(), lock.token() + 999_999));
    await(store.locks(SPACE).release(lock, call()));
    Mutation late = Mutation.delete().withLock(lock);
    ranges
        .writeAll(Map.of(KEY, late, beside, late), call())
        .forEach(
            (key, version) ->
                assertThatThrownBy(() -> await(version))
                    .isExactlyInstanceOf(KvException.Permanent.class));
    assertThat(await(ranges.get(KEY, call())).value()).isEqualTo(Bytes.utf8("mine"));
    assertThat(await(ranges.get(beside, call())).value()).isEqualTo(Bytes.utf8("mine"));
  }

  @Test
  void write_underALock_liesWithinItsRangeAndBelowTheNextToken() {
    Lock first = take(store, LONG);
    long version = write(first, "1");
    assertThat(version).isBetween(first.token(), first.token() + 999_999);
    assertThat(write(first, "2")).isEqualTo(version + 1);
    await(store.locks(SPACE).release(first, call()));
    assertThat(take(other, LONG).token()).isGreaterThan(version + 1);
  }

  @Test
  void write_overAnExpiredLaterVersion_isSeen() {
    Lock lock = take(store, LONG);
    Instant expiry = Instant.now().plusMillis(300);
    Mutation expiring =
        Mutation.put(Bytes.utf8("expiring")).withExpiry(expiry).withVersion(lock.token() + 500_000);
    await(open(other).write(KEY, expiring, call()));
    while (!Instant.now().isAfter(expiry)) {
      Thread.onSpinWait();
    }
    assertThat(value(points)).isEmpty();
    assertThat(write(lock, "mine")).isGreaterThan(lock.token() + 500_000);
    assertThat(value(points)).isEqualTo("mine");
  }

  @Test
  void write_afterAPlainDeleteByAClockAhead_isSeen() {
    Clock ahead = Clock.offset(Clock.systemUTC(), Duration.ofMillis(200));
    try (Store early = TestStores.open(TestStores.string(keyspace, ""), new VersionClock(ahead))) {
      StoreCollection same = open(early);
      Lock lock = take(early, LONG);
      long deleted = await(same.write(KEY, Mutation.delete(), call()));
      assertThat(deleted).isGreaterThan(lock.token());
      Mutation mine = Mutation.put(Bytes.utf8("mine")).withLock(lock);
      assertThat(await(same.write(KEY, mine, call()))).isGreaterThan(deleted);
      assertThat(value(points)).isEqualTo("mine");
    }
  }

  @Test
  void write_laterVersionThanTheRange_isSeenAndTheNextTokenLiesAboveIt() {
    Lock lock = take(store, Locks.MIN_LEASE);
    long later = lock.token() + 1_200_000;
    while (VersionClock.micros(await(store.serverTime())) < later - 800_000) {
      Thread.onSpinWait();
    }
    await(open(other).write(KEY, Mutation.delete().withVersion(later), call()));
    VersionClock.ofProcess().observe(later);
    long version = write(lock, "mine");
    assertThat(version).isGreaterThan(later);
    assertThat(write(lock, "again")).isEqualTo(version + 1);
    assertThat(value(points)).isEqualTo("again");
    assertThat(take(other, LONG).token()).isGreaterThan(version + 1);
  }

  @Test
  void write_versionFarAheadOfTheClock_isTransientAndNotWritten() {
    Lock lock = take(store, LONG);
    long far = lock.token() + 3_600_000_000L;
    Mutation put = Mutation.put(Bytes.utf8("far")).withVersion(far);
    await(open(other).write(KEY, put, call()));
    assertThatThrownBy(() -> write(lock, "mine")).isInstanceOf(KvException.Transient.class);
    assertThat(value(points)).isEqualTo("far");
  }

  @Test
  void tryLock_leaseEndedWithoutRelease_tokenLiesAboveTheRange() {
    Lock first = take(store, Locks.MIN_LEASE);
    assertThat(take(other, LONG).token()).isGreaterThanOrEqualTo(first.token() + 1_000_000);
  }

  @Test
  void tryLock_clockStandsStill_tokensRise() {
    StoppableClock clock = new StoppableClock();
    try (Store stopped =
        TestStores.open(TestStores.string(keyspace, ""), new VersionClock(clock))) {
      clock.stoppedAt = Instant.now();
      long last = 0;
      for (int i = 0; i < 10; i++) {
        Lock lock = takeWhileItStands(stopped, clock);
        assertThat(lock.token()).isGreaterThan(last);
        last = lock.token();
        await(stopped.locks(SPACE).release(lock, call()));
      }
    }
  }

  /**
   * On a slow machine the clock may be stopped for longer than the skew limit: it is stopped again.
   */
  private static Lock takeWhileItStands(Store stopped, StoppableClock clock) {
    while (true) {
      try {
        return take(stopped, LONG);
      } catch (KvException.Transient e) {
        assertThat(e).hasMessageContaining("synchronize the clocks");
        clock.stoppedAt = Instant.now();
      }
    }
  }

  /** A clock that runs until it is stopped. */
  private static final class StoppableClock extends Clock {
    private volatile @Nullable Instant stoppedAt;

    @Override
    public Instant instant() {
      Instant still = stoppedAt;
      return still == null ? Instant.now() : still;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }

  /** Waits until the lease has ended, takes the lock and appends to the value. */
  private void countAsAnother() {
    Lock lock = take(other, LONG);
    StoreCollection same = open(other);
    String before = value(same);
    await(same.write(KEY, Mutation.put(Bytes.utf8(before + ":other")).withLock(lock), call()));
  }

  private static StoreCollection open(Store store) {
    return await(store.open("written", Layout.point(), Claim.ACTIVE));
  }

  private static Lock take(Store by, Duration lease) {
    StoreLocks locks = by.locks(SPACE);
    while (true) {
      LockResult batch = await(locks.tryLockAll(Set.of(KEY.main()), lease, call()));
      if (!batch.acquired().isEmpty()) {
        return batch.acquired().iterator().next();
      }
    }
  }

  private long write(Lock lock, String value) {
    return await(points.write(KEY, Mutation.put(Bytes.utf8(value)).withLock(lock), call()));
  }

  private static String value(StoreCollection collection) {
    Row row = await(collection.get(KEY, call()));
    Bytes value = row == null ? null : row.value();
    return value == null ? "" : value.toUtf8();
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(20));
  }
}
