package dev.kvshift.api;

import java.util.Objects;

/** An entry of a range page: the clustering part of its key, and its value. Immutable. */
public final class Entry {
  private final Bytes clustering;
  private final Bytes value;

  private Entry(Bytes clustering, Bytes value) {
    this.clustering = Objects.requireNonNull(clustering, "clustering");
    this.value = Objects.requireNonNull(value, "value");
  }

  /**
   * Returns an entry.
   *
   * @param clustering the clustering part of its key
   * @param value its value
   */
  public static Entry of(Bytes clustering, Bytes value) {
    return new Entry(clustering, value);
  }

  /** Returns the clustering part of the entry's key. */
  public Bytes clustering() {
    return clustering;
  }

  /** Returns the entry's value, as it was written. */
  public Bytes value() {
    return value;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Entry that
        && clustering.equals(that.clustering)
        && value.equals(that.value);
  }

  @Override
  public int hashCode() {
    return 31 * clustering.hashCode() + value.hashCode();
  }

  @Override
  public String toString() {
    return "Entry[clustering=" + clustering + ", value=" + value + "]";
  }
}
