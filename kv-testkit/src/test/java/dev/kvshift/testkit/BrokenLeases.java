package dev.kvshift.testkit;

import static dev.kvshift.testkit.BrokenDriversTest.collection;
import static dev.kvshift.testkit.BrokenDriversTest.store;
import static dev.kvshift.testkit.ForwardingParts.withLockGate;
import static dev.kvshift.testkit.ForwardingParts.withLocks;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreLocks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Stores that break a sentence of {@link StoreLocks} each. */
final class BrokenLeases {
  private BrokenLeases() {}

  static Stream<Arguments> all() {
    return Stream.of(
        store(
            "adds a renewal to what is left",
            BrokenLeases::addsToWhatIsLeft,
            DriverKit.Locks.class,
            "renew_lease_countsFromNow"),
        store(
            "renews a lost lock",
            BrokenLeases::renewsALostLock,
            DriverKit.Locks.class,
            "renew_released_isPermanent"),
        store(
            "renews for any lease",
            BrokenLeases::renewsForAnyLease,
            DriverKit.Locks.class,
            "renew_leaseOutOfRange_isPermanent"),
        store(
            "frees the present holder",
            BrokenLeases::freesThePresentHolder,
            DriverKit.Locks.class,
            "release_again_doesNothing"),
        store(
            "grants any lease",
            BrokenLeases::grantsAnyLease,
            DriverKit.Locks.class,
            "tryLockAll_leaseOutOfRange_isPermanent"),
        store(
            "takes any number of keys",
            BrokenLeases::takesAnyNumberOfKeys,
            DriverKit.Locks.class,
            "tryLockAll_noneOrTooManyAtTheStore_isPermanent"),
        store(
            "releases in its own connection alone",
            BrokenLeases::releasesItsOwnAlone,
            DriverKit.Locks.class,
            "release_onAnotherConnection_freesTheLock"),
        collection(
            "deletes under any lock",
            BrokenLeases::deletesUnderAnyLock,
            DriverKit.Locks.class,
            "delete_underALockGrantedAnewSince_isRefused"),
        collection(
            "writes several keys under any lock",
            BrokenLeases::writesSeveralUnderAnyLock,
            DriverKit.Locks.class,
            "putAll_underALockGrantedAnewSince_isRefusedForEach"),
        collection(
            "holds back whoever has no lock",
            BrokenLeases::holdsBackWhoeverHasNoLock,
            DriverKit.Locks.class,
            "put_withoutALock_isNotHeldBack"),
        store(
            "grants behind the fence",
            BrokenLeases::grantsBehindTheFence,
            DriverKit.LockGate.class,
            "fence_standing_grantsNoneWhileHoldersGoOn"),
        store(
            "takes nothing back once handed over",
            BrokenLeases::takesNothingBack,
            DriverKit.LockGate.class,
            "move_done_refusesEverybodyButWhoGivesBack"),
        store(
            "hands over below its tokens",
            BrokenLeases::handsOverBelowItsTokens,
            DriverKit.LockGate.class,
            "move_onceNoneIsHeld_handsOverAboveEveryToken"));
  }

  private static Lock lasting(Lock lock, Duration longer) {
    return Lock.of(
        lock.space(), lock.key(), lock.owner(), lock.token(), lock.expires().plus(longer));
  }

  private static Store addsToWhatIsLeft(Store store) {
    return withLocks(
        store,
        locks ->
            new ForwardingParts.Leases(locks) {
              @Override
              public CompletionStage<Lock> renew(Lock lock, Duration lease, Call call) {
                return inner.renew(lock, lease, call).thenApply(renewed -> lasting(lock, lease));
              }
            });
  }

  private static Store renewsALostLock(Store store) {
    return withLocks(
        store,
        locks ->
            new ForwardingParts.Leases(locks) {
              @Override
              public CompletionStage<Lock> renew(Lock lock, Duration lease, Call call) {
                return inner.renew(lock, lease, call).exceptionally(error -> lasting(lock, lease));
              }
            });
  }

  private static Duration clamped(Duration lease) {
    Duration atLeast = lease.compareTo(StoreLocks.MIN_LEASE) < 0 ? StoreLocks.MIN_LEASE : lease;
    return atLeast.compareTo(StoreLocks.MAX_LEASE) > 0 ? StoreLocks.MAX_LEASE : atLeast;
  }

  private static Store renewsForAnyLease(Store store) {
    return withLocks(
        store,
        locks ->
            new ForwardingParts.Leases(locks) {
              @Override
              public CompletionStage<Lock> renew(Lock lock, Duration lease, Call call) {
                return inner.renew(lock, clamped(lease), call);
              }
            });
  }

  private static Store grantsAnyLease(Store store) {
    return withLocks(
        store,
        locks ->
            new ForwardingParts.Leases(locks) {
              @Override
              public CompletionStage<LockResult> tryLockAll(
                  Set<Bytes> keys, Duration lease, Call call) {
                return inner.tryLockAll(keys, clamped(lease), call);
              }
            });
  }

  /** Passes each lock of a batch to a listener. */
  private static CompletionStage<LockResult> granting(
      CompletionStage<LockResult> locking, Consumer<Lock> listener) {
    return locking.thenApply(
        batch -> {
          batch.acquired().forEach(listener);
          return batch;
        });
  }

  /** Releases a key whoever holds it. */
  private static Store freesThePresentHolder(Store store) {
    Map<Bytes, Lock> last = new ConcurrentHashMap<>();
    return withLocks(
        store,
        locks ->
            new ForwardingParts.Leases(locks) {
              @Override
              public CompletionStage<LockResult> tryLockAll(
                  Set<Bytes> keys, Duration lease, Call call) {
                return granting(
                    inner.tryLockAll(keys, lease, call), lock -> last.put(lock.key(), lock));
              }

              @Override
              public CompletionStage<Void> release(Lock lock, Call call) {
                return inner.release(last.getOrDefault(lock.key(), lock), call);
              }
            });
  }

  /** Splits a batch that is too large, and answers an empty one. */
  private static Store takesAnyNumberOfKeys(Store store) {
    return withLocks(
        store,
        locks ->
            new ForwardingParts.Leases(locks) {
              @Override
              public CompletionStage<LockResult> tryLockAll(
                  Set<Bytes> keys, Duration lease, Call call) {
                return keys.size() <= MAX_KEYS
                    ? inner.tryLockAll(keys, lease, call)
                    : rest(
                        keys.iterator(), lease, call, LockResult.of(List.of(), Set.of(), Set.of()));
              }

              private CompletionStage<LockResult> rest(
                  Iterator<Bytes> keys, Duration lease, Call call, LockResult before) {
                if (!keys.hasNext()) {
                  return CompletableFuture.completedFuture(before);
                }
                Set<Bytes> some = new HashSet<>();
                while (keys.hasNext() && some.size() < MAX_KEYS) {
                  some.add(keys.next());
                }
                return inner
                    .tryLockAll(some, lease, call)
                    .thenCompose(
                        batch -> {
                          Collection<Lock> acquired = new ArrayList<>(before.acquired());
                          acquired.addAll(batch.acquired());
                          return rest(
                              keys,
                              lease,
                              call,
                              LockResult.of(List.copyOf(acquired), batch.busy(), batch.unknown()));
                        });
              }
            });
  }

  private static Store releasesItsOwnAlone(Store store) {
    Set<String> owned = ConcurrentHashMap.newKeySet();
    return withLocks(
        store,
        locks ->
            new ForwardingParts.Leases(locks) {
              @Override
              public CompletionStage<LockResult> tryLockAll(
                  Set<Bytes> keys, Duration lease, Call call) {
                return granting(
                    inner.tryLockAll(keys, lease, call), lock -> owned.add(lock.owner()));
              }

              @Override
              public CompletionStage<Void> release(Lock lock, Call call) {
                return owned.contains(lock.owner())
                    ? inner.release(lock, call)
                    : CompletableFuture.completedFuture(null);
              }
            });
  }

  private static StoreCollection deletesUnderAnyLock(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner.write(
            key, mutation.value() == null ? mutation.withLock(null) : mutation, call);
      }
    };
  }

  private static StoreCollection writesSeveralUnderAnyLock(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public Map<StoreKey, CompletionStage<Long>> writeAll(
          Map<StoreKey, Mutation> mutations, Call call) {
        Map<StoreKey, Mutation> unlocked = new LinkedHashMap<>(mutations);
        unlocked.replaceAll((key, mutation) -> mutation.withLock(null));
        return super.writeAll(unlocked, call);
      }
    };
  }

  /** Refuses a write without a lock of a key that was written under one, or is about to be. */
  private static StoreCollection holdsBackWhoeverHasNoLock(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return mutation.lock() == null
            ? CompletableFuture.failedFuture(new KvException.Permanent("take the lock first"))
            : inner.write(key, mutation, call);
      }
    };
  }

  private static Store grantsBehindTheFence(Store store) {
    return withLocks(
        store,
        locks ->
            new ForwardingParts.Leases(locks) {
              @Override
              public CompletionStage<LockResult> tryLockAll(
                  Set<Bytes> keys, Duration lease, Call call) {
                return inner
                    .tryLockAll(keys, lease, call)
                    .exceptionallyCompose(
                        error ->
                            Futures.unwrap(error) instanceof KvException.CollectionFenced
                                ? CompletableFuture.completedFuture(
                                    LockResult.of(List.of(), keys, Set.of()))
                                : CompletableFuture.failedFuture(error));
              }
            });
  }

  private static Store takesNothingBack(Store store) {
    return withLocks(
        store,
        locks ->
            new ForwardingParts.Leases(locks) {
              @Override
              public CompletionStage<Void> release(Lock lock, Call call) {
                return inner
                    .gate()
                    .thenCompose(Gate::state)
                    .thenCompose(
                        state ->
                            call.epoch() < state.acceptMin()
                                ? CompletableFuture.failedFuture(
                                    new StalePhase(
                                        lock.space(), state.epoch(), state.phase(), 0, null))
                                : inner.release(lock, call));
              }
            });
  }

  private static Store handsOverBelowItsTokens(Store store) {
    return withLockGate(
        store,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<State> move(String attempt) {
                return inner.move(attempt).thenApply(state -> state.withFloor(1));
              }
            });
  }
}
