package dev.kvshift.api;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Options of a write: TTL and lock. Immutable. */
public final class WriteOptions {
  /** The shortest TTL: 1 ms. */
  public static final Duration MIN_TTL = Duration.ofMillis(1);

  /** The longest TTL: ten years of 366 days. */
  public static final Duration MAX_TTL = Duration.ofDays(3_660);

  private static final WriteOptions NONE = new WriteOptions(null, null);

  private final @Nullable Duration ttl;
  private final @Nullable Lock lock;

  private WriteOptions(@Nullable Duration ttl, @Nullable Lock lock) {
    if (ttl != null && (ttl.compareTo(MIN_TTL) < 0 || ttl.compareTo(MAX_TTL) > 0)) {
      throw new KvException.InvalidArgument(
          "TTL of " + ttl + ": give 1 ms to " + MAX_TTL.toDays() + " days");
    }
    this.ttl = ttl;
    this.lock = lock;
  }

  /** Returns the options of a plain write: no TTL, no lock. */
  public static WriteOptions none() {
    return NONE;
  }

  /**
   * Returns the options of a write whose entry expires.
   *
   * @param ttl 1 ms to {@link #MAX_TTL}
   * @throws KvException.InvalidArgument if it is out of that range
   */
  public static WriteOptions ttl(Duration ttl) {
    return NONE.withTtl(ttl);
  }

  /** Returns the options of a write under a lock, whose fencing token the store checks. */
  public static WriteOptions lock(Lock lock) {
    return NONE.withLock(lock);
  }

  /**
   * Returns the same options with another TTL.
   *
   * @param newTtl 1 ms to {@link #MAX_TTL}; null for an entry that does not expire
   * @throws KvException.InvalidArgument if it is out of that range
   */
  public WriteOptions withTtl(@Nullable Duration newTtl) {
    return new WriteOptions(newTtl, lock);
  }

  /**
   * Returns the same options with another lock.
   *
   * @param newLock the lock whose fencing token the store checks; null for none
   */
  public WriteOptions withLock(@Nullable Lock newLock) {
    return new WriteOptions(ttl, newLock);
  }

  /** Returns how long the entry lives; null if it does not expire. */
  public @Nullable Duration ttl() {
    return ttl;
  }

  /** Returns the lock under which the write is made; null for none. */
  public @Nullable Lock lock() {
    return lock;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof WriteOptions that
        && Objects.equals(ttl, that.ttl)
        && Objects.equals(lock, that.lock);
  }

  @Override
  public int hashCode() {
    return Objects.hash(ttl, lock);
  }

  @Override
  public String toString() {
    return "WriteOptions[ttl=" + ttl + ", lock=" + lock + "]";
  }
}
