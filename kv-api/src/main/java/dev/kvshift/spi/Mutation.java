package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Lock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A write of one key: a put or a delete, with its expiry, version and lock. Immutable. */
public final class Mutation {
  private static final Mutation DELETE = new Mutation(null, null, null, null);

  private final @Nullable Bytes value;
  private final @Nullable Instant expiry;
  private final @Nullable Long version;
  private final @Nullable Lock lock;

  private Mutation(
      @Nullable Bytes value,
      @Nullable Instant expiry,
      @Nullable Long version,
      @Nullable Lock lock) {
    if (value == null && expiry != null) {
      throw new IllegalArgumentException("a delete does not expire");
    }
    this.value = value;
    this.expiry = expiry;
    this.version = version;
    this.lock = lock;
  }

  /** Returns a put whose version the store draws. */
  public static Mutation put(Bytes value) {
    return of(Objects.requireNonNull(value, "value"));
  }

  /** Returns a delete whose version the store draws. */
  public static Mutation delete() {
    return DELETE;
  }

  /**
   * Returns a put or a delete whose version the store draws.
   *
   * @param value the value to put; null to delete
   */
  public static Mutation of(@Nullable Bytes value) {
    return value == null ? DELETE : new Mutation(value, null, null, null);
  }

  /**
   * Returns the same write with another expiry.
   *
   * @param newExpiry when the entry expires, truncated to milliseconds; null for never
   * @throws IllegalArgumentException if the write is a delete and the expiry is not null
   */
  public Mutation withExpiry(@Nullable Instant newExpiry) {
    Instant millis = newExpiry == null ? null : newExpiry.truncatedTo(ChronoUnit.MILLIS);
    return new Mutation(value, millis, version, lock);
  }

  /**
   * Returns the same write at another version.
   *
   * @param newVersion the write timestamp in microseconds since 1970; null if the store draws it
   */
  public Mutation withVersion(@Nullable Long newVersion) {
    return new Mutation(value, expiry, newVersion, lock);
  }

  /**
   * Returns the same write under another lock.
   *
   * @param newLock the lock whose fencing token the store checks; null for none
   */
  public Mutation withLock(@Nullable Lock newLock) {
    return new Mutation(value, expiry, version, newLock);
  }

  /** Returns the new value; null for a delete. */
  public @Nullable Bytes value() {
    return value;
  }

  /** Returns when the entry expires; null for never, and for deletes. */
  public @Nullable Instant expiry() {
    return expiry;
  }

  /** Returns the write timestamp in microseconds since 1970; null if the store draws it. */
  public @Nullable Long version() {
    return version;
  }

  /** Returns the lock under which the write is made; null for none. */
  public @Nullable Lock lock() {
    return lock;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Mutation that
        && Objects.equals(value, that.value)
        && Objects.equals(expiry, that.expiry)
        && Objects.equals(version, that.version)
        && Objects.equals(lock, that.lock);
  }

  @Override
  public int hashCode() {
    return Objects.hash(value, expiry, version, lock);
  }

  @Override
  public String toString() {
    return "Mutation[value="
        + value
        + ", expiry="
        + expiry
        + ", version="
        + version
        + ", lock="
        + lock
        + "]";
  }
}
