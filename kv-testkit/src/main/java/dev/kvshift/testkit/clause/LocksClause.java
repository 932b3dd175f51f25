package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.Locks;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException.Permanent;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.Range;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Leases on keys with fencing tokens. */
@Needs(Capability.LOCKS)
public abstract class LocksClause extends Clause {
  private static final Duration LEASE = Duration.ofMinutes(5);
  private static final String SPACE = "kit";

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 100, 1_000})
  void tryLockAll_freeKeys_acquiresAll(int count) {
    Set<Bytes> keys = keys(count);
    Instant before = serverTime();
    LockResult batch = locks().tryLockAll(keys, LEASE);
    assertThat(batch.busy()).isEmpty();
    assertThat(batch.unknown()).isEmpty();
    Set<Bytes> acquired = new HashSet<>();
    for (Lock lock : batch.acquired()) {
      acquired.add(lock.key());
      assertThat(lock.space()).isEqualTo(SPACE);
      assertThat(lock.token()).isPositive();
      assertThat(lock.owner()).isNotEmpty();
      assertThat(lock.expires())
          .isBetween(before.plus(LEASE).minusSeconds(1), serverTime().plus(LEASE).plusSeconds(1));
    }
    assertThat(acquired).isEqualTo(keys);
    batch.acquired().stream()
        .map(lock -> store().locks(SPACE).release(lock, call()))
        .toList()
        .forEach(Clause::join);
  }

  @Test
  void tryLockAll_heldKeys_areBusyAndTheOthersAcquired() {
    Set<Bytes> held = keys(3);
    locks().tryLockAll(held, LEASE);
    Set<Bytes> free = keys(2);
    Set<Bytes> both = new HashSet<>(held);
    both.addAll(free);
    LockResult batch = locks().tryLockAll(both, LEASE);
    assertThat(batch.busy()).isEqualTo(held);
    assertThat(batch.acquired()).extracting(Lock::key).containsExactlyInAnyOrderElementsOf(free);
    assertThat(batch.unknown()).isEmpty();
  }

  @Test
  void tryLockAll_anotherConnection_findsThemBusy() {
    Set<Bytes> keys = keys(2);
    locks().tryLockAll(keys, LEASE);
    try (Store other = tested().fixture.open()) {
      var batch = join(other.locks(SPACE).tryLockAll(keys, LEASE, call()));
      assertThat(batch.busy()).isEqualTo(keys);
      assertThat(batch.acquired()).isEmpty();
    }
  }

  @Test
  void tryLockAll_otherSpace_isFree() {
    Bytes key = freshMain();
    Lock lock = lock(key);
    LockResult other = tested().view.locks("other").tryLockAll(Set.of(key), LEASE);
    assertThat(other.acquired()).hasSize(1);
    assertThat(other.acquired().iterator().next().space()).isEqualTo("other");
    locks().release(lock);
  }

  @Test
  void tryLockAll_manyAtOnce_oneHoldsEachKey() {
    Bytes key = freshMain();
    List<CompletableFuture<LockResult>> attempts = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      attempts.add(
          store().locks(SPACE).tryLockAll(Set.of(key), LEASE, call()).toCompletableFuture());
    }
    int holders = 0;
    for (var attempt : attempts) {
      holders += join(attempt).acquired().size();
    }
    assertThat(holders).isEqualTo(1);
  }

  @Test
  void release_thenTryLock_givesAHigherToken() {
    Bytes key = freshMain();
    long last = 0;
    for (int i = 0; i < 10; i++) {
      Lock lock = lock(key);
      assertThat(lock.token()).isGreaterThan(last);
      last = lock.token();
      locks().release(lock);
    }
  }

  @Test
  void release_again_doesNothing() {
    Bytes key = freshMain();
    Lock first = lock(key);
    locks().release(first);
    Lock second = lock(key);
    locks().release(first);
    assertThat(locks().tryLockAll(Set.of(key), LEASE).busy()).containsExactly(key);
    locks().release(second);
    locks().release(second);
  }

  @Test
  void lease_ended_isFreeForOthersWithAHigherToken() {
    Bytes key = freshMain();
    Lock first = locks().tryLockAll(Set.of(key), Locks.MIN_LEASE).acquired().iterator().next();
    awaitPast(first.expires());
    Lock second = lock(key);
    assertThat(second.token()).isGreaterThan(first.token());
    assertThat(second.owner()).isNotEqualTo(first.owner());
    Await.failure(Permanent.class, () -> locks().renew(first, LEASE));
    locks().release(first);
    assertThat(locks().tryLockAll(Set.of(key), LEASE).busy()).containsExactly(key);
  }

  @Test
  void renew_held_extendsTheLeaseUnderTheSameToken() {
    Bytes key = freshMain();
    Lock lock = locks().tryLockAll(Set.of(key), shortLife()).acquired().iterator().next();
    Lock renewed = locks().renew(lock, LEASE);
    assertThat(renewed)
        .isEqualTo(Lock.of(SPACE, key, lock.owner(), lock.token(), renewed.expires()));
    assertThat(renewed.expires()).isAfter(lock.expires());
    awaitPast(lock.expires());
    assertThat(locks().tryLockAll(Set.of(key), LEASE).busy()).containsExactly(key);
  }

  @Test
  void renew_released_isPermanent() {
    Lock lock = lock(freshMain());
    locks().release(lock);
    Await.failure(Permanent.class, () -> locks().renew(lock, LEASE));
  }

  @Test
  void renew_lease_countsFromNow() {
    Lock lock = lock(freshMain());
    Instant before = serverTime();
    Lock renewed = locks().renew(lock, LEASE);
    assertThat(renewed.expires())
        .isBetween(before.plus(LEASE).minusSeconds(1), serverTime().plus(LEASE).plusSeconds(1));
    locks().release(renewed);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 99, 3_600_001})
  void renew_leaseOutOfRange_isPermanent(long millis) {
    Lock lock = lock(freshMain());
    Duration lease = Duration.ofMillis(millis);
    assertPermanent(() -> store().locks(SPACE).renew(lock, lease, call()));
    locks().release(lock);
  }

  @Test
  void release_onAnotherConnection_freesTheLock() {
    Bytes key = freshMain();
    Lock lock = lock(key);
    try (Store other = tested().fixture.open()) {
      join(other.locks(SPACE).release(lock, call()));
    }
    locks().release(lock(key));
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 99, 3_600_001})
  void tryLockAll_leaseOutOfRange_isPermanent(long millis) {
    Duration lease = Duration.ofMillis(millis);
    Bytes key = freshMain();
    assertInvalid(() -> locks().tryLockAll(Set.of(key), lease));
    assertPermanent(() -> store().locks(SPACE).tryLockAll(Set.of(key), lease, call()));
    locks().release(lock(key));
  }

  @Test
  void tryLockAll_noneOrTooMany_isPermanent() {
    assertInvalid(() -> locks().tryLockAll(Set.of(), LEASE));
    assertInvalid(() -> locks().tryLockAll(keys(Locks.MAX_KEYS + 1), LEASE));
  }

  @Test
  void tryLockAll_noneOrTooManyAtTheStore_isPermanent() {
    assertPermanent(() -> store().locks(SPACE).tryLockAll(Set.of(), LEASE, call()));
    Set<Bytes> keys = keys(Locks.MAX_KEYS + 1);
    assertPermanent(() -> store().locks(SPACE).tryLockAll(keys, LEASE, call()));
  }

  @ParameterizedTest
  @EnumSource
  void put_underAHeldLock_isWritten(CollectionApi api) {
    Key key = Key.of(freshMain());
    Lock lock = lock(key.main());
    points(api).put(key, hex("01"), WriteOptions.lock(lock));
    assertThat(points(api).get(key)).isEqualTo(hex("01"));
    points(api).put(key, hex("02"), WriteOptions.lock(locks().renew(lock, LEASE)));
    assertThat(points(api).get(key)).isEqualTo(hex("02"));
    locks().release(lock);
  }

  @ParameterizedTest
  @EnumSource
  void put_underALockGrantedAnewSince_isRefused(CollectionApi api) {
    Key key = Key.of(freshMain());
    Lock late = lock(key.main());
    locks().release(late);
    Lock current = lock(key.main());
    points(api).put(key, hex("01"), WriteOptions.lock(current));
    assertPermanent(
        () -> {
          points(api).put(key, hex("02"), WriteOptions.lock(late));
          return key;
        });
    assertThat(points(api).get(key)).isEqualTo(hex("01"));
    locks().release(current);
    assertPermanent(
        () -> {
          points(api).put(key, hex("02"), WriteOptions.lock(late));
          return key;
        });
    assertThat(points(api).get(key)).isEqualTo(hex("01"));
  }

  @Test
  void delete_underALockGrantedAnewSince_isRefused() {
    Key key = Key.of(freshMain());
    Lock late = lock(key.main());
    locks().release(late);
    Lock current = lock(key.main());
    points(CollectionApi.SYNC).put(key, hex("01"), WriteOptions.lock(current));
    var view = tested().view(tested().sharedName(pointLayout()), pointLayout());
    assertPermanent(
        () -> {
          view.delete(key, WriteOptions.lock(late));
          return key;
        });
    assertThat(points(CollectionApi.SYNC).get(key)).isEqualTo(hex("01"));
    view.delete(key, WriteOptions.lock(current));
    assertThat(points(CollectionApi.SYNC).get(key)).isNull();
  }

  @Test
  @Needs(Capability.RANGES)
  void putAll_underALockGrantedAnewSince_isRefusedForEach() {
    Bytes main = freshMain();
    Lock late = lock(main);
    locks().release(late);
    Lock current = lock(main);
    Map<Key, Bytes> entries =
        Map.of(Key.of(main, hex("01")), hex("0a"), Key.of(main, hex("02")), hex("0b"));
    var view = tested().view(tested().sharedName(rangeLayout()), rangeLayout());
    view.putAll(entries, WriteOptions.lock(late))
        .values()
        .forEach(outcome -> assertPermanent(outcome::orThrow));
    assertThat(ranges(CollectionApi.SYNC).clusterings(main, Range.all())).isEmpty();
    view.putAll(entries, WriteOptions.lock(current)).values().forEach(Outcome::orThrow);
    entries.forEach((key, value) -> assertThat(view.get(key)).contains(value));
  }

  @Test
  void put_withoutALock_isNotHeldBack() {
    Key key = Key.of(freshMain());
    Lock lock = lock(key.main());
    points(CollectionApi.SYNC).put(key, hex("01"));
    assertThat(points(CollectionApi.SYNC).get(key)).isEqualTo(hex("01"));
    locks().release(lock);
  }

  @Test
  void version_heldLock_risesAboveTheGivenOne() {
    Lock lock = lock(freshMain());
    long above = lock.token() + 300_000;
    long first = join(store().locks(SPACE).version(lock, above, call()));
    assertThat(first).isGreaterThan(above);
    assertThat(join(store().locks(SPACE).version(lock, 0, call()))).isGreaterThan(first);
    locks().release(lock);
  }

  @Test
  void version_nextGrant_isAboveThoseOfTheLast() {
    Bytes key = freshMain();
    Lock first = lock(key);
    long drawn = join(store().locks(SPACE).version(first, first.token() + 300_000, call()));
    locks().release(first);
    Lock second = lock(key);
    assertThat(join(store().locks(SPACE).version(second, 0, call()))).isGreaterThan(drawn);
    locks().release(second);
  }

  @Test
  void version_releasedOrGrantedAgain_isPermanent() {
    Lock lock = lock(freshMain());
    locks().release(lock);
    assertPermanent(() -> store().locks(SPACE).version(lock, 0, call()));
    Lock next = lock(lock.key());
    assertPermanent(() -> store().locks(SPACE).version(lock, 0, call()));
    locks().release(next);
  }

  @Test
  void isHeld_lastGrant_untilReleasedOrGrantedAgain() {
    Bytes key = freshMain();
    Lock first = locks().tryLockAll(Set.of(key), Locks.MIN_LEASE).acquired().iterator().next();
    awaitPast(first.expires());
    assertThat(isHeld(first)).isTrue();
    Lock second = lock(key);
    assertThat(isHeld(first)).isFalse();
    assertThat(isHeld(second)).isTrue();
    locks().release(second);
    assertThat(isHeld(second)).isFalse();
  }

  private boolean isHeld(Lock lock) {
    return join(store().locks(SPACE).isHeld(lock, call()));
  }

  private Locks locks() {
    return tested().view.locks(SPACE);
  }

  private Lock lock(Bytes key) {
    LockResult batch = locks().tryLockAll(Set.of(key), LEASE);
    assertThat(batch.acquired()).hasSize(1);
    return batch.acquired().iterator().next();
  }

  private static Set<Bytes> keys(int count) {
    Set<Bytes> keys = new HashSet<>();
    for (int i = 0; i < count; i++) {
      keys.add(freshMain());
    }
    return keys;
  }
}
