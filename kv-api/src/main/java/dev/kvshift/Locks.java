package dev.kvshift;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.StoreLocks;
import java.time.Duration;
import java.util.Set;

/**
 * A space of locks for read-modify-write, as services see it. Safe for use by many threads.
 *
 * <p>Methods fail as those of {@link KvCollection} do; a lock whose acquisition has an unknown
 * outcome is free again once its lease would have ended. They end with their {@link KvStore}.
 *
 * <p>A lock guards only the writes that carry it ({@link WriteOptions#lock(Lock)}). Its lease ends
 * by the authority's clock, renewed or not; the fencing token makes a late holder's write harmless.
 */
public final class Locks {
  /** The most keys of one batch. */
  public static final int MAX_KEYS = StoreLocks.MAX_KEYS;

  /** The shortest lease: 100 ms. */
  public static final Duration MIN_LEASE = StoreLocks.MIN_LEASE;

  /** The longest lease: 1 h. */
  public static final Duration MAX_LEASE = StoreLocks.MAX_LEASE;

  private final StoreLocks locks;
  private final Limits limits;

  Locks(StoreLocks locks, Limits limits) {
    this.locks = locks;
    this.limits = limits;
  }

  /**
   * Takes all the locks that can be had, waiting for none.
   *
   * @param keys 1 to {@value #MAX_KEYS}
   * @param lease how long they are held unless renewed, 100 ms to 1 h
   */
  public LockResult tryLockAll(Set<Bytes> keys, Duration lease) {
    return Stages.await(
        Stages.start(() -> locks.tryLockAll(Set.copyOf(keys), lease, call()), true), true);
  }

  /**
   * Extends the lease from now on.
   *
   * @throws KvException.Permanent if the lock is lost
   */
  public Lock renew(Lock lock, Duration lease) {
    return Stages.await(Stages.start(() -> locks.renew(lock, lease, call()), true), true);
  }

  /** Gives the lock back; does nothing where it is lost already. */
  public void release(Lock lock) {
    Stages.await(Stages.start(() -> locks.release(lock, call()), true), true);
  }

  private Call call() {
    return Call.within(limits.timeout());
  }
}
