package dev.kvshift.api;

import dev.kvshift.api.KvException.InvalidArgument;

/**
 * The key of one entry: a main part, which a range read names, and a clustering part, which orders
 * the entries of one main part.
 *
 * <p>The whole key of a point collection is its main part; its clustering part is empty. The length
 * of each part is limited by the store, which checks it before anything is sent. Immutable.
 */
public final class Key {
  private final Bytes main;
  private final Bytes clustering;

  private Key(Bytes main, Bytes clustering) {
    this.main = InvalidArgument.requireNonNull(main, "main part");
    this.clustering = InvalidArgument.requireNonNull(clustering, "clustering part");
  }

  /**
   * Returns the key of a point collection.
   *
   * @param main the whole key; at least one byte
   * @throws KvException.InvalidArgument if it is null
   */
  public static Key of(Bytes main) {
    return new Key(main, Bytes.empty());
  }

  /**
   * Returns the key of a range collection.
   *
   * @param main the part that a range read names
   * @param clustering the place within the main part, compared unsigned
   * @throws KvException.InvalidArgument if one of them is null
   */
  public static Key of(Bytes main, Bytes clustering) {
    return new Key(main, clustering);
  }

  /** Returns the part that a range read names; not empty in a point collection. */
  public Bytes main() {
    return main;
  }

  /** Returns the place within the main part, compared unsigned; empty in a point collection. */
  public Bytes clustering() {
    return clustering;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Key that
        && main.equals(that.main)
        && clustering.equals(that.clustering);
  }

  @Override
  public int hashCode() {
    return 31 * main.hashCode() + clustering.hashCode();
  }

  @Override
  public String toString() {
    return "Key[main=" + main + ", clustering=" + clustering + "]";
  }
}
