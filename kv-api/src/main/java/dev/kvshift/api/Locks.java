package dev.kvshift.api;

import dev.kvshift.spi.Call;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.StoreLocks;
import java.time.Duration;
import java.util.Set;

/**
 * A space of locks for read-modify-write, as services see it. Safe for use by many threads.
 *
 * <p>A lock guards only the writes that carry it ({@link WriteOptions#lock(Lock)}). Its lease ends
 * by the authority's clock, renewed or not; the fencing token makes a late holder's write harmless.
 */
public final class Locks {
  /** The most keys of one batch. */
  public static final int MAX_KEYS = 1_000;

  private final StoreLocks locks;
  private final Limits limits;

  Locks(StoreLocks locks, Limits limits) {
    this.locks = locks;
    this.limits = limits;
  }

  /** What became of a batch: each key is in one of the three. */
  public record Batch(Set<Lock> acquired, Set<Bytes> busy, Set<Bytes> unknown) {
    public Batch {
      acquired = Set.copyOf(acquired);
      busy = Set.copyOf(busy);
      unknown = Set.copyOf(unknown);
    }
  }

  /**
   * Takes all the locks that can be had, waiting for none.
   *
   * @param keys 1 to {@value #MAX_KEYS}
   * @param lease how long they are held unless renewed, 100 ms to 1 h
   */
  public Batch tryLockAll(Set<Bytes> keys, Duration lease) {
    if (keys.isEmpty() || keys.size() > MAX_KEYS) {
      throw new KvException.Permanent(
          "a batch of " + keys.size() + " locks: give 1 to " + MAX_KEYS);
    }
    StoreLocks.Batch batch = Stages.await(locks.tryLockAll(Set.copyOf(keys), lease, call()), true);
    return new Batch(Set.copyOf(batch.acquired()), batch.busy(), batch.unknown());
  }

  /**
   * Extends the lease from now on.
   *
   * @throws KvException.Permanent if the lock is lost
   */
  public Lock renew(Lock lock, Duration lease) {
    return Stages.await(locks.renew(lock, lease, call()), true);
  }

  /** Gives the lock back; does nothing where it is lost already. */
  public void release(Lock lock) {
    Stages.await(locks.release(lock, call()), true);
  }

  private Call call() {
    return Call.within(limits.timeout());
  }
}
