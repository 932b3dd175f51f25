package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import java.time.Instant;
import java.util.Comparator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A row as a store holds it. A row without a value is a tombstone; a store returns an expired entry
 * as a tombstone of its version. Immutable.
 */
public final class Row {
  /**
   * The order that decides which of two rows of one key a store keeps: the greater one.
   *
   * <ol>
   *   <li>The higher version.
   *   <li>At equal versions a tombstone, before a live row.
   *   <li>An expiring row before one that does not expire, and the later expiry before the earlier.
   *   <li>The greater value, compared unsigned.
   * </ol>
   *
   * <p>The order is the same in every store and the same as CQL's resolution of equal timestamps,
   * so copies converge whatever the order of arrival. Only CQL stores may keep either of two rows
   * of one version whose expiries lie within a second of each other.
   */
  public static final Comparator<Row> PRECEDENCE =
      Comparator.comparingLong(Row::version)
          .thenComparing(Row::isTombstone)
          .thenComparing(Row::expiry, Comparator.nullsFirst(Comparator.naturalOrder()))
          .thenComparing(Row::value, Comparator.nullsFirst(Comparator.naturalOrder()));

  private final StoreKey key;
  private final long version;
  private final @Nullable Bytes value;
  private final @Nullable Instant expiry;

  private Row(StoreKey key, long version, @Nullable Bytes value, @Nullable Instant expiry) {
    if (value == null && expiry != null) {
      throw new IllegalArgumentException("a tombstone does not expire");
    }
    this.key = Objects.requireNonNull(key, "key");
    this.version = version;
    this.value = value;
    this.expiry = expiry;
  }

  /**
   * Returns a row.
   *
   * @param key its key
   * @param version its write timestamp, in microseconds since 1970
   * @param value its value; null for a tombstone
   * @param expiry when it expires, to the millisecond; null for never, and for tombstones
   */
  public static Row of(
      StoreKey key, long version, @Nullable Bytes value, @Nullable Instant expiry) {
    return new Row(key, version, value, expiry);
  }

  /** Returns the tombstone of a key at a version. */
  public static Row tombstone(StoreKey key, long version) {
    return new Row(key, version, null, null);
  }

  /** Returns the row's key. */
  public StoreKey key() {
    return key;
  }

  /** Returns the row's write timestamp, in microseconds since 1970. */
  public long version() {
    return version;
  }

  /** Returns the row's value; null for a tombstone. */
  public @Nullable Bytes value() {
    return value;
  }

  /** Returns when the row expires, to the millisecond; null for never, and for tombstones. */
  public @Nullable Instant expiry() {
    return expiry;
  }

  /** Returns whether the row is a deleted or expired entry. */
  public boolean isTombstone() {
    return value == null;
  }

  /** Returns the row as it is at an instant: itself, or a tombstone if it has expired by then. */
  public Row at(Instant now) {
    return expiry != null && !expiry.isAfter(now) ? tombstone(key, version) : this;
  }

  /** Returns the same row under another key. */
  public Row withKey(StoreKey newKey) {
    return new Row(newKey, version, value, expiry);
  }

  /** Returns the write that stores this row, with its version and expiry. */
  public Mutation toMutation() {
    return Mutation.of(value).withExpiry(expiry).withVersion(version);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Row that
        && version == that.version
        && key.equals(that.key)
        && Objects.equals(value, that.value)
        && Objects.equals(expiry, that.expiry);
  }

  @Override
  public int hashCode() {
    return Objects.hash(key, version, value, expiry);
  }

  @Override
  public String toString() {
    return "Row[key="
        + key
        + ", version="
        + version
        + ", value="
        + value
        + ", expiry="
        + expiry
        + "]";
  }
}
