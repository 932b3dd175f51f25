package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Lock;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a write does to its key. Immutable.
 *
 * @param value the new value, or null to delete
 * @param expiry when the entry expires, an absolute instant of which the milliseconds count; null
 *     for never, and for deletes
 * @param version the write timestamp in microseconds since 1970; null where the store draws it
 * @param lock the lock under which the write is made, whose token the store checks; null for none
 */
public record Mutation(
    @Nullable Bytes value, @Nullable Instant expiry, @Nullable Long version, @Nullable Lock lock) {
  public Mutation {
    if (value == null && expiry != null) {
      throw new IllegalArgumentException("a delete does not expire");
    }
  }

  /** Returns a write whose version the store draws. */
  public static Mutation put(Bytes value) {
    return new Mutation(value, null, null, null);
  }

  /** Returns a delete whose version the store draws. */
  public static Mutation delete() {
    return new Mutation(null, null, null, null);
  }

  /** Returns the same write at a version. */
  public Mutation withVersion(long newVersion) {
    return new Mutation(value, expiry, newVersion, lock);
  }

  /** Returns the same write under a lock. */
  public Mutation withLock(Lock newLock) {
    return new Mutation(value, expiry, version, newLock);
  }
}
