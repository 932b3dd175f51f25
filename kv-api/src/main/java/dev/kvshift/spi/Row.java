package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import java.time.Instant;
import java.util.Comparator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One row as a store holds it. A row without a value is a tombstone; an entry that has expired is
 * handed out as a tombstone of its version. Immutable.
 *
 * @param key its key
 * @param version its write timestamp, in microseconds since 1970
 * @param value its value, or null for a tombstone
 * @param expiry when it expires, to the millisecond; null for never, and for tombstones
 */
public record Row(StoreKey key, long version, @Nullable Bytes value, @Nullable Instant expiry) {
  /**
   * Which of two rows of one key stays: the greater one. By version; at equal versions dead beats
   * live, expiring beats not expiring, the later expiry beats the earlier, then the greater bytes.
   * The same everywhere, and the same as CQL's resolution of equal timestamps; only CQL stores may
   * keep either of two whose expiries lie within a second of each other.
   */
  public static final Comparator<Row> PRECEDENCE =
      Comparator.comparingLong(Row::version)
          .thenComparing(Row::isTombstone)
          .thenComparing(Row::expiry, Comparator.nullsFirst(Comparator.naturalOrder()))
          .thenComparing(Row::value, Comparator.nullsFirst(Comparator.naturalOrder()));

  public Row {
    Objects.requireNonNull(key, "key");
    if (value == null && expiry != null) {
      throw new IllegalArgumentException("a tombstone does not expire");
    }
  }

  /** Returns whether the row stands for a deleted or expired entry. */
  public boolean isTombstone() {
    return value == null;
  }

  /** Returns the row as it is at an instant: itself, or a tombstone where it has expired. */
  public Row at(Instant now) {
    return expiry != null && !expiry.isAfter(now) ? new Row(key, version, null, null) : this;
  }

  /** Returns the same row under another key. */
  public Row withKey(StoreKey newKey) {
    return new Row(newKey, version, value, expiry);
  }

  /** Returns the write that gives another store this very row. */
  public Mutation toMutation() {
    return new Mutation(value, expiry, version, null);
  }
}
