package dev.kvshift;

import dev.kvshift.Pending.Effect;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.StoreLocks;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * A space of locks for read-modify-write. Every method waits for the store; {@link #async()} has
 * the same operations without waiting. Safe for use by many threads.
 *
 * <p>Methods fail as those of {@link KvCollection} do. A lock whose acquisition has an unknown
 * outcome is free again when its lease would have ended. The space is closed with its {@link
 * KvStore}.
 *
 * <p>A lock guards only the writes that carry it ({@link WriteOptions#lock(Lock)}). Its lease ends
 * by the authority's clock; the fencing token makes the write of a late holder harmless.
 */
public final class Locks {
  /** Maximum number of keys of one batch. */
  public static final int MAX_KEYS = StoreLocks.MAX_KEYS;

  /** The shortest lease: 100 ms. */
  public static final Duration MIN_LEASE = StoreLocks.MIN_LEASE;

  /** The longest lease: 1 h. */
  public static final Duration MAX_LEASE = StoreLocks.MAX_LEASE;

  private final StoreLocks locks;
  private final Limits limits;
  private final Executor executor;
  private final Async async = new Async();

  Locks(StoreLocks locks, Limits limits, Executor executor) {
    this.locks = locks;
    this.limits = limits;
    this.executor = executor;
  }

  /** Returns the same operations without waiting. */
  public Async async() {
    return async;
  }

  /**
   * Acquires those locks that are free. Does not wait for the others.
   *
   * @param keys 1 to {@value #MAX_KEYS}
   * @param lease how long the locks are held unless renewed, 100 ms to 1 h
   * @throws KvException.InvalidArgument if an argument is null or out of its range
   */
  public LockResult tryLockAll(Set<Bytes> keys, Duration lease) {
    return Pending.await(() -> startTryLockAll(keys, lease));
  }

  /**
   * Renews a lease, which then counts from now.
   *
   * @param lease how long the lock is held from now on, 100 ms to 1 h
   * @return the same lock with the new end of its lease
   * @throws KvException.InvalidArgument if an argument is null or out of its range
   * @throws KvException.Permanent if the lock is lost
   */
  public Lock renew(Lock lock, Duration lease) {
    return Pending.await(() -> startRenew(lock, lease));
  }

  /**
   * Releases a lock. Does nothing if it is lost already.
   *
   * @throws KvException.InvalidArgument if it is null
   */
  public void release(Lock lock) {
    Pending.await(() -> startRelease(lock));
  }

  private Pending<LockResult> startTryLockAll(Set<Bytes> keys, Duration lease) {
    Call call = call();
    return Pending.send(
        Effect.WRITE,
        call,
        () -> {
          Set<Bytes> copy = copy(keys);
          OperationChecker.checkLocks(copy, limits);
          OperationChecker.checkLease(lease);
          return locks.tryLockAll(copy, lease, call);
        });
  }

  private Pending<Lock> startRenew(Lock lock, Duration lease) {
    Call call = call();
    return Pending.send(
        Effect.WRITE,
        call,
        () -> {
          InvalidArgument.requireNonNull(lock, "lock");
          OperationChecker.checkLease(lease);
          return locks.renew(lock, lease, call);
        });
  }

  private Pending<@Nullable Void> startRelease(Lock lock) {
    Call call = call();
    return Pending.send(
        Effect.WRITE,
        call,
        () -> locks.release(InvalidArgument.requireNonNull(lock, "lock"), call));
  }

  private static Set<Bytes> copy(Set<Bytes> keys) {
    Set<Bytes> copy = new LinkedHashSet<>(InvalidArgument.requireNonNull(keys, "keys"));
    copy.forEach(key -> InvalidArgument.requireNonNull(key, "one of the keys"));
    return Collections.unmodifiableSet(copy);
  }

  private Call call() {
    return Call.within(limits.timeout());
  }

  /**
   * The operations of {@link Locks} without waiting. Their stages fail with a bare {@link
   * KvException} and complete on the executor of the store's options. Safe for use by many threads.
   */
  public final class Async {
    private Async() {}

    /** See {@link Locks#tryLockAll(Set, Duration)}. */
    public CompletionStage<LockResult> tryLockAll(Set<Bytes> keys, Duration lease) {
      return startTryLockAll(keys, lease).stage(executor);
    }

    /** See {@link Locks#renew(Lock, Duration)}. */
    public CompletionStage<Lock> renew(Lock lock, Duration lease) {
      return startRenew(lock, lease).stage(executor);
    }

    /** See {@link Locks#release(Lock)}. */
    public CompletionStage<@Nullable Void> release(Lock lock) {
      return startRelease(lock).stage(executor);
    }
  }
}
