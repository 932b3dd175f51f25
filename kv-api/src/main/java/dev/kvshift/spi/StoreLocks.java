package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** One space of locks. Safe for use by many threads and processes. */
public interface StoreLocks {
  /** Maximum number of keys of one batch. */
  int MAX_KEYS = 1_000;

  /** The shortest lease: 100 ms. */
  Duration MIN_LEASE = Duration.ofMillis(100);

  /** The longest lease: 1 h. */
  Duration MAX_LEASE = Duration.ofHours(1);

  /** Acquires those locks that are free, without waiting for the others. At most 1,000 keys. */
  CompletionStage<LockResult> tryLockAll(Set<Bytes> keys, Duration lease, Call call);

  /** Renews a lease, which counts from now. Fails with {@code Permanent} if the lock is lost. */
  CompletionStage<Lock> renew(Lock lock, Duration lease, Call call);

  /** Releases a lock. Succeeds if it is lost or released already. */
  CompletionStage<Void> release(Lock lock, Call call);

  /**
   * Draws the version of a write under a lock, for a writer whose rows are in another store than
   * its locks. It is above the given one and above every version that was drawn under an earlier
   * grant of the lock; those of later grants will be above it, so that a write that arrives late
   * loses against theirs. Fails with {@code Permanent} if the lock was released, or granted again.
   *
   * @param above a version in microseconds since 1970; {@code Permanent} or {@code Transient} if it
   *     is more than 1 s ahead of the authority's clock
   */
  CompletionStage<Long> version(Lock lock, long above, Call call);

  /**
   * Reads whether a lock is the last one granted for its key, and was not released. The answer is
   * linearizable: a write under the lock may be acknowledged if this is asked after the write's own
   * answer, and is true. It says nothing about the lease.
   */
  CompletionStage<Boolean> isHeld(Lock lock, Call call);

  /**
   * Returns the same space for a client whom its former authority has sent: {@link Gate#move} has
   * given it the floor. It is granted tokens above the floor, also while the space's {@link
   * LockSpaceRecord} is not active yet. {@link Capability#METADATA}.
   *
   * @param floor the floor of the move
   */
  default StoreLocks above(long floor) {
    throw new KvException.UnsupportedCapability(Capability.METADATA, "a lock space of this store");
  }

  /**
   * Opens the space's gate, by which its authority moves to another store; {@link
   * Capability#LOCK_GATE}. It is like a collection's gate, with lock requests instead of writes:
   *
   * <ul>
   *   <li>Requests of an epoch below {@code acceptMin} are refused with {@code StalePhase}, except
   *       {@link #release}.
   *   <li>While a fence is raised, no lock is granted: {@code CollectionFenced} at once. Locks can
   *       still be renewed and released, and versions drawn under them.
   *   <li>{@link Gate#move} fails with {@code Transient} while a lock is held by the leader's
   *       clock. Once it has succeeded, every request but {@link #release} is refused, and {@code
   *       floor} is not below any token or version that the leader has issued. It takes no longer
   *       if many locks were ever granted.
   *   <li>{@link Gate#seal} and {@link Gate#reassert} do not apply to locks: {@code Permanent}.
   * </ul>
   */
  default CompletionStage<Gate> gate() {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(Capability.LOCK_GATE, "a lock space of this store"));
  }
}
