package dev.kvshift.memory;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.LockSpaceRecord;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.Usage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One store's view of a space of locks and of its gate.
 *
 * @param floor the floor with which a former authority has sent the client here; null for none
 */
record MemoryLocks(MemoryStore store, LockSpace space, @Nullable Long floor)
    implements StoreLocks, Gate {
  @Override
  public CompletionStage<LockResult> tryLockAll(Set<Bytes> keys, Duration lease, Call call) {
    return store.write(
        () -> {
          OperationChecker.checkLocks(keys, store.limits());
          OperationChecker.checkLease(lease);
          return requireAuthority().thenApply(above -> space.tryLockAll(keys, lease, above, call));
        },
        call);
  }

  /** Returns the floor, provided that this store grants the space's locks to this client. */
  private CompletionStage<Long> requireAuthority() {
    if (floor != null) {
      return CompletableFuture.completedFuture(floor);
    }
    return store.has(Capability.METADATA)
        ? LockSpaceRecord.claim(store.metadata(), space.name()).thenApply(LockSpaceRecord::floor)
        : CompletableFuture.completedFuture(0L);
  }

  @Override
  public CompletionStage<Long> version(Lock lock, long above, Call call) {
    return store.supply(() -> space.version(lock, above, call));
  }

  @Override
  public CompletionStage<Boolean> isHeld(Lock lock, Call call) {
    return store.supply(() -> space.isHeld(lock, call));
  }

  @Override
  public StoreLocks above(long newFloor) {
    store.require(Capability.METADATA);
    return new MemoryLocks(store, space, newFloor);
  }

  @Override
  public CompletionStage<Lock> renew(Lock lock, Duration lease, Call call) {
    return store.write(
        () -> {
          OperationChecker.checkLease(lease);
          return CompletableFuture.completedFuture(space.renew(lock, lease, call));
        },
        call);
  }

  @Override
  public CompletionStage<Void> release(Lock lock, Call call) {
    return store.write(
        () -> {
          space.release(lock);
          return CompletableFuture.completedFuture(null);
        },
        call);
  }

  @Override
  public CompletionStage<Gate> gate() {
    return store.supply(
        () -> {
          store.require(Capability.LOCK_GATE);
          return this;
        });
  }

  @Override
  public CompletionStage<State> state() {
    return store.supply(space::state);
  }

  @Override
  public CompletionStage<Boolean> compareAndSet(State expected, State next) {
    return store.supply(() -> space.withGate(gate -> gate.compareAndSet(expected, next)));
  }

  @Override
  public CompletionStage<Fence> fence(String attempt, FenceOptions options) {
    return store.supply(() -> space.fence(attempt, options));
  }

  @Override
  public CompletionStage<Void> lift(String attempt) {
    return store
        .<Boolean>supply(() -> space.withGate(gate -> gate.lift(attempt)))
        .thenAccept(lifted -> {});
  }

  @Override
  public CompletionStage<State> move(String attempt) {
    return store.supply(() -> space.move(attempt));
  }

  @Override
  public CompletionStage<State> seal(long epoch) {
    return CompletableFuture.failedFuture(notForLocks("sealed"));
  }

  @Override
  public CompletionStage<Row> reassert(StoreKey key, long atLeast) {
    return CompletableFuture.failedFuture(notForLocks("asked to write a key again"));
  }

  @Override
  public CompletionStage<Void> applied(long version) {
    return CompletableFuture.failedFuture(notForLocks("given a watermark"));
  }

  @Override
  public CompletionStage<List<Instance>> instances() {
    return store.supply(() -> space.withGate(LeaderGate::instances));
  }

  @Override
  public CompletionStage<Usage> usage(Instant since) {
    return store.supply(
        () -> {
          store.require(Capability.USAGE);
          return space.withGate(gate -> gate.usage(since));
        });
  }

  @Override
  public void listen(LongConsumer listener) {
    space.withGate(
        gate -> {
          gate.listen(store, listener);
          return store;
        });
  }

  private static KvException notForLocks(String what) {
    return new KvException.Permanent(
        "a space of locks cannot be " + what + ": fence it, and move it once none is held");
  }
}
