package dev.kvshift.api;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a write asks for beyond its key and value. Immutable.
 *
 * @param ttl how long the entry lives, from 1 ms to {@link #MAX_TTL}; null for ever
 * @param lock the lock under which the write is made, which the store then checks; null for none
 */
public record WriteOptions(@Nullable Duration ttl, @Nullable Lock lock) {
  /** The longest time to live: ten years of 366 days. */
  public static final Duration MAX_TTL = Duration.ofDays(3_660);

  private static final WriteOptions NONE = new WriteOptions(null, null);

  public WriteOptions {
    if (ttl != null && (ttl.toMillis() < 1 || ttl.compareTo(MAX_TTL) > 0)) {
      throw new IllegalArgumentException("time to live " + ttl + ": give 1 ms to " + MAX_TTL);
    }
  }

  /** Returns the options of a plain write: no expiry, no lock. */
  public static WriteOptions none() {
    return NONE;
  }

  /** Returns the options of a write that expires. */
  public static WriteOptions ttl(Duration ttl) {
    return new WriteOptions(ttl, null);
  }

  /** Returns the options of a write made under a lock. */
  public static WriteOptions lock(Lock lock) {
    return new WriteOptions(null, lock);
  }
}
