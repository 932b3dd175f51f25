package dev.kvshift.scylla.internal.lock;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.scylla.internal.session.DriverErrors;
import dev.kvshift.scylla.internal.session.ServerClock;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreLocks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A space of locks. The locks of a batch are taken one by one, {@value #AT_ONCE} at a time. */
public final class ScyllaLocks implements StoreLocks {
  private static final int AT_ONCE = 32;

  private final String space;
  private final LockKeeper keeper;
  private final Supplier<CompletionStage<Long>> floor;
  private final StoreClock serverClock;
  private final Limits limits;

  /**
   * Creates a view of a space.
   *
   * @param floor returns the token above which those of the space begin; fails while another store
   *     grants its locks
   */
  public ScyllaLocks(
      String space,
      LockKeeper keeper,
      Supplier<CompletionStage<Long>> floor,
      StoreClock serverClock,
      Limits limits) {
    this.space = space;
    this.keeper = keeper;
    this.floor = floor;
    this.serverClock = serverClock;
    this.limits = limits;
  }

  @Override
  public StoreLocks above(long newFloor) {
    return new ScyllaLocks(
        space, keeper, () -> CompletableFuture.completedFuture(newFloor), serverClock, limits);
  }

  @Override
  public CompletionStage<LockResult> tryLockAll(Set<Bytes> keys, Duration lease, Call call) {
    return Futures.start(
        () -> {
          OperationChecker.checkLocks(keys, limits);
          OperationChecker.checkLease(lease);
          Set<Bytes> all = Set.copyOf(keys);
          return ServerClock.require(serverClock, call)
              .thenCompose(right -> floor.get())
              .thenCompose(above -> new Attempt(all, lease, above, call).run());
        });
  }

  private final class Attempt {
    private final Iterator<Bytes> waiting;
    private final Duration lease;
    private final long above;
    private final Call call;
    private final int count;
    private final List<Lock> acquired = new ArrayList<>();
    private final Set<Bytes> busy = new HashSet<>();
    private final Set<Bytes> unknown = new HashSet<>();
    private final List<KvException> refusals = new ArrayList<>();

    Attempt(Set<Bytes> keys, Duration lease, long above, Call call) {
      waiting = keys.iterator();
      count = keys.size();
      this.lease = lease;
      this.above = above;
      this.call = call;
    }

    CompletionStage<LockResult> run() {
      CompletableFuture<?>[] lanes = new CompletableFuture<?>[Math.min(AT_ONCE, count)];
      for (int lane = 0; lane < lanes.length; lane++) {
        lanes[lane] = next().toCompletableFuture();
      }
      return CompletableFuture.allOf(lanes).thenApply(done -> result());
    }

    private CompletionStage<Void> next() {
      Bytes key;
      synchronized (this) {
        if (!waiting.hasNext()) {
          return CompletableFuture.completedFuture(null);
        }
        key = waiting.next();
      }
      return keeper
          .tryLock(new LockId(space, key), lease, above, call)
          .handle(
              (lock, error) -> {
                note(key, lock, error);
                return null;
              })
          .thenCompose(noted -> next());
    }

    private synchronized void note(Bytes key, @Nullable Lock lock, @Nullable Throwable error) {
      if (error != null) {
        KvException known = DriverErrors.ofWrite("taking a lock", error);
        unknown.add(key);
        if (!(known instanceof KvException.UnknownOutcome)) {
          refusals.add(known);
        }
      } else if (lock == null) {
        busy.add(key);
      } else {
        acquired.add(lock);
      }
    }

    /** Fails only if no lock was requested at all; otherwise the caller needs what was acquired. */
    private synchronized LockResult result() {
      if (refusals.size() == count) {
        throw refusals.get(0);
      }
      return LockResult.of(acquired, busy, unknown);
    }
  }

  @Override
  public CompletionStage<Lock> renew(Lock lock, Duration lease, Call call) {
    return Futures.start(
        () -> {
          OperationChecker.checkLease(lease);
          requireSpace(lock);
          return keeper.renew(lock, lease, call);
        });
  }

  @Override
  public CompletionStage<Void> release(Lock lock, Call call) {
    return Futures.start(
        () -> {
          requireSpace(lock);
          return keeper.release(lock, call);
        });
  }

  @Override
  public CompletionStage<Long> version(Lock lock, long above, Call call) {
    return Futures.start(
        () -> {
          requireSpace(lock);
          return keeper
              .requireHeld(lock, call)
              .thenCompose(held -> keeper.version(lock, above, call));
        });
  }

  @Override
  public CompletionStage<Boolean> isHeld(Lock lock, Call call) {
    return Futures.start(
        () -> {
          requireSpace(lock);
          return keeper.isHeld(lock, call);
        });
  }

  private void requireSpace(Lock lock) {
    if (!lock.space().equals(space)) {
      throw new KvException.Permanent(
          "a lock of space "
              + lock.space()
              + " was passed to space "
              + space
              + ": use the locks of its own space");
    }
  }
}
