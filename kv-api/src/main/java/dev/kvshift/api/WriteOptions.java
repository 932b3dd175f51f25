package dev.kvshift.api;

import dev.kvshift.api.KvException.InvalidArgument;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Options of a write: TTL, lock and time-out. Immutable. */
public final class WriteOptions {
  /** The shortest TTL: 1 ms. */
  public static final Duration MIN_TTL = Duration.ofMillis(1);

  /** The longest TTL: ten years of 366 days. */
  public static final Duration MAX_TTL = Duration.ofDays(3_660);

  /** The shortest time-out: 1 ms. */
  public static final Duration MIN_TIMEOUT = ReadOptions.MIN_TIMEOUT;

  /** The longest time-out: 10 min. */
  public static final Duration MAX_TIMEOUT = ReadOptions.MAX_TIMEOUT;

  private static final WriteOptions NONE = new WriteOptions(null, null, null);

  private final @Nullable Duration ttl;
  private final @Nullable Lock lock;
  private final @Nullable Duration timeout;

  private WriteOptions(@Nullable Duration ttl, @Nullable Lock lock, @Nullable Duration timeout) {
    if (ttl != null && (ttl.compareTo(MIN_TTL) < 0 || ttl.compareTo(MAX_TTL) > 0)) {
      throw new InvalidArgument("TTL of " + ttl + ": give 1 ms to " + MAX_TTL.toDays() + " days");
    }
    this.ttl = ttl;
    this.lock = lock;
    this.timeout = ReadOptions.checkedTimeout(timeout);
  }

  /** Returns the options of a plain write: no TTL, no lock, the store's time-out. */
  public static WriteOptions none() {
    return NONE;
  }

  /**
   * Returns the options of a write whose entry expires.
   *
   * @param ttl 1 ms to {@link #MAX_TTL}
   * @throws KvException.InvalidArgument if it is null or out of that range
   */
  public static WriteOptions ttl(Duration ttl) {
    return NONE.withTtl(InvalidArgument.requireNonNull(ttl, "TTL"));
  }

  /**
   * Returns the options of a write under a lock, whose fencing token the store checks.
   *
   * @throws KvException.InvalidArgument if it is null: a write that relies on a fencing token must
   *     never be sent unfenced
   */
  public static WriteOptions lock(Lock lock) {
    return NONE.withLock(InvalidArgument.requireNonNull(lock, "lock"));
  }

  /**
   * Returns the options of a write with a time-out.
   *
   * @param timeout 1 ms to 10 min
   * @throws KvException.InvalidArgument if it is null or out of that range
   */
  public static WriteOptions timeout(Duration timeout) {
    return NONE.withTimeout(InvalidArgument.requireNonNull(timeout, "time-out"));
  }

  /**
   * Returns the same options with another TTL.
   *
   * @param newTtl 1 ms to {@link #MAX_TTL}; null for an entry that does not expire
   * @throws KvException.InvalidArgument if it is out of that range
   */
  public WriteOptions withTtl(@Nullable Duration newTtl) {
    return new WriteOptions(newTtl, lock, timeout);
  }

  /**
   * Returns the same options with another lock.
   *
   * @param newLock the lock whose fencing token the store checks; null for none
   */
  public WriteOptions withLock(@Nullable Lock newLock) {
    return new WriteOptions(ttl, newLock, timeout);
  }

  /**
   * Returns the same options with another time-out.
   *
   * @param newTimeout 1 ms to 10 min; null for the store's
   * @throws KvException.InvalidArgument if it is out of that range
   */
  public WriteOptions withTimeout(@Nullable Duration newTimeout) {
    return new WriteOptions(ttl, lock, newTimeout);
  }

  /** Returns the TTL of the entry; null if it does not expire. */
  public @Nullable Duration ttl() {
    return ttl;
  }

  /** Returns the lock under which the write is made; null for none. */
  public @Nullable Lock lock() {
    return lock;
  }

  /**
   * Returns how long the call may take, all its keys included; null for the store's time-out, which
   * its connection string sets.
   */
  public @Nullable Duration timeout() {
    return timeout;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof WriteOptions that
        && Objects.equals(ttl, that.ttl)
        && Objects.equals(lock, that.lock)
        && Objects.equals(timeout, that.timeout);
  }

  @Override
  public int hashCode() {
    return Objects.hash(ttl, lock, timeout);
  }

  @Override
  public String toString() {
    return "WriteOptions[ttl=" + ttl + ", lock=" + lock + ", timeout=" + timeout + "]";
  }
}
