package dev.kvshift.scylla.internal.lock;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The row of a lock, as it is stored.
 *
 * @param owner the attempt that was granted the lock last; null before the first grant
 * @param token the last token granted
 * @param expires when the lease ends, in ms since 1970 by the servers' clock
 * @param least lower bound of the next token
 */
record LockRow(@Nullable String owner, long token, long expires, long least) {
  /** Value of {@code expires} once a lock was released. */
  private static final long RELEASED = 0;

  /** Row of a lock that was never granted. */
  static final LockRow NEVER = new LockRow(null, 0, RELEASED, 0);

  /** Returns whether this grant is the last one and was not released. */
  boolean isHeldBy(String attempt, long itsToken) {
    return attempt.equals(owner) && token == itsToken && expires != RELEASED;
  }

  boolean hasEnded(long nowMicros) {
    return TimeUnit.MILLISECONDS.toMicros(expires) < nowMicros;
  }

  LockRow renewed(long until) {
    return new LockRow(owner, token, Math.max(expires, until), least);
  }

  LockRow extended(long nextLeast) {
    return new LockRow(owner, token, expires, Math.max(least, nextLeast));
  }

  LockRow released(long nextLeast) {
    return new LockRow(owner, token, RELEASED, nextLeast);
  }
}
