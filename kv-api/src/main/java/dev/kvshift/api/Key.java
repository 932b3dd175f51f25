package dev.kvshift.api;

import java.util.Objects;

/**
 * The key of one entry: a main part, which a range read names, and a clustering part, by which it
 * is ordered.
 *
 * <p>The whole key of a point collection is its main part; its clustering part is empty. Immutable.
 * How long each part may be is a limit of the store, checked before anything is sent.
 *
 * @param main what a range read names; not empty in a point collection
 * @param clustering the place within the main key, compared unsigned
 */
public record Key(Bytes main, Bytes clustering) {
  public Key {
    Objects.requireNonNull(main, "main");
    Objects.requireNonNull(clustering, "clustering");
  }

  /** Returns the key of a point collection: all of it is the main part. */
  public static Key of(Bytes main) {
    return new Key(main, Bytes.empty());
  }

  /** Returns the key of a range collection. */
  public static Key of(Bytes main, Bytes clustering) {
    return new Key(main, clustering);
  }
}
