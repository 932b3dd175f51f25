package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Lock;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * Counts the locks of one space that this process holds, by its own clock, for the report to the
 * leader. Nothing else depends on it. Safe for use by many threads.
 */
final class HeldLocks {
  /** Maximum number of locks that are counted. */
  private static final int MAX_COUNTED = 100_000;

  private final LongSupplier wallMillis;
  private final Map<Name, Long> until = new ConcurrentHashMap<>();

  private record Name(String owner, Bytes key) {
    static Name of(Lock lock) {
      return new Name(lock.owner(), lock.key());
    }
  }

  HeldLocks(LongSupplier wallMillis) {
    this.wallMillis = wallMillis;
  }

  /** Records that a lock was granted or renewed. */
  void add(Lock lock) {
    if (until.size() >= MAX_COUNTED) {
      count();
    }
    if (until.size() < MAX_COUNTED) {
      until.put(Name.of(lock), lock.expires().toEpochMilli());
    }
  }

  void remove(Lock lock) {
    until.remove(Name.of(lock));
  }

  /** Forgets the locks whose leases have ended, and returns the number of the others. */
  long count() {
    long now = wallMillis.getAsLong();
    until.values().removeIf(end -> end <= now);
    return until.size();
  }
}
