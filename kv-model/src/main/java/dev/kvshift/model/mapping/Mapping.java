package dev.kvshift.model.mapping;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.StoreKey;

/**
 * The form in which a store holds the entries of a collection, if it is another one than services
 * write: a pure function from an old entry to a new one, and its inverse.
 *
 * <p>The connection string of the store names it, {@code mapping=NAME}, and a {@link
 * dev.kvshift.model.ModelCatalogue} provides it. Copy, changes, dual writes, reads, comparison and
 * repair all go through the same store, and so through the same mapping. Versions, expiries and
 * clustering keys stay as they are, so ranges keep their order.
 *
 * <p>Nothing may be lost: each write is mapped there and back, and refused with {@link
 * dev.kvshift.api.KvException.InvalidArgument} if that does not give the same bytes. So a mapping
 * that rewrites a message has to keep its unknown fields and their order, or the old bytes.
 *
 * <p>Implementations are immutable, safe for use by many threads, and depend on nothing but their
 * arguments: no clock, no configuration, no request. They may throw any exception for an entry that
 * they cannot map.
 */
public interface Mapping {
  /**
   * Returns the name, with a version in it: a letter a-z, then at most 63 of a-z, 0-9 and '-', not
   * {@code none}. The store keeps it with the data. A mapping that gives other new entries than
   * before needs another name, and a new copy.
   */
  String name();

  /** Returns the name of the collection. */
  String collection();

  /**
   * Returns whether values compare as before: of two old values of a key, the one that is greater,
   * byte by byte and unsigned, has the greater new one. Clock order needs that, since two processes
   * may write a key at one version, and both stores must keep the same value then. So without it, a
   * collection moves only from a store with a leader, and for good. False by default; true is right
   * for values that are only put behind a constant.
   */
  default boolean keepsOrder() {
    return false;
  }

  /**
   * Returns the main key of a new entry, of which the old one is a function alone. Two old keys
   * never have the same new one.
   *
   * @param main the old main key: the whole key in a point collection
   */
  default Bytes newMain(Bytes main) {
    return main;
  }

  /**
   * Returns the main key of the old entry; the inverse of {@link #newMain}.
   *
   * @param main the new main key
   */
  default Bytes oldMain(Bytes main) {
    return main;
  }

  /**
   * Returns the value of a new entry.
   *
   * @param key the old key
   * @param value the old value
   */
  Bytes newValue(StoreKey key, Bytes value);

  /**
   * Returns the value of an old entry; the inverse of {@link #newValue}.
   *
   * @param key the old key
   * @param value the new value
   */
  Bytes oldValue(StoreKey key, Bytes value);
}
