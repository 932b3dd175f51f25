package dev.kvshift.model.mapping;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The entries of one collection by a mapping, which is not trusted: what it gives is mapped back
 * before it is used.
 *
 * @param collection the collection's name
 * @param mapsValues whether values are mapped, too; those of a shard directory are not
 */
record EntryMap(String collection, Mapping mapping, boolean mapsValues) {
  /**
   * Returns the new key of an old one.
   *
   * @throws KvException.InvalidArgument if there is none
   */
  StoreKey newKey(StoreKey old) {
    return StoreKey.of(newMain(old.main()), old.shard(), old.clustering());
  }

  /**
   * Returns the new main key of an old one.
   *
   * @throws KvException.InvalidArgument if there is none
   */
  Bytes newMain(Bytes old) {
    return mapped("main key", old, mapping::newMain, mapping::oldMain);
  }

  /**
   * Returns the new write of an old one.
   *
   * @param key the old key
   * @throws KvException.InvalidArgument if there is none
   */
  Mutation newWrite(StoreKey key, Mutation old) {
    Bytes value = old.value();
    return value == null || !mapsValues
        ? old
        : Mutation.put(newValue(key, value))
            .withExpiry(old.expiry())
            .withVersion(old.version())
            .withLock(old.lock());
  }

  private Bytes newValue(StoreKey key, Bytes old) {
    return mapped(
        "value", old, value -> mapping.newValue(key, value), value -> mapping.oldValue(key, value));
  }

  /** Maps a part of an entry, unless it does not come back from that. */
  private Bytes mapped(
      String part, Bytes old, UnaryOperator<Bytes> forth, UnaryOperator<Bytes> back) {
    String what = "the " + part + " of " + old.size() + " bytes ";
    try {
      Bytes mapped = given(() -> forth.apply(old));
      if (given(() -> back.apply(mapped)).equals(old)) {
        return mapped;
      }
    } catch (RuntimeException e) {
      throw refused(what + "cannot be mapped", e);
    }
    throw refused(what + "does not come back from it", null);
  }

  /**
   * Returns the old row of one that the store holds.
   *
   * @param key its old key
   * @throws KvException.Permanent if there is none
   */
  Row oldRow(StoreKey key, Row row) {
    Bytes value = row.value();
    if (value == null || !mapsValues) {
      return row.withKey(key);
    }
    try {
      Bytes old = given(() -> mapping.oldValue(key, value));
      return Row.of(key, row.version(), old, row.expiry());
    } catch (RuntimeException e) {
      throw unreadable(row.key(), e);
    }
  }

  /**
   * Returns the old row of one whose old key is not known.
   *
   * @throws KvException.Permanent if there is none, as for a row that was not written through the
   *     mapping
   */
  Row oldRow(Row row) {
    Bytes main = row.key().main();
    Bytes old;
    try {
      old = given(() -> mapping.oldMain(main));
      if (!given(() -> mapping.newMain(old)).equals(main)) {
        throw new IllegalStateException("its main key has no old one");
      }
    } catch (RuntimeException e) {
      throw unreadable(row.key(), e);
    }
    return oldRow(StoreKey.of(old, row.key().shard(), row.key().clustering()), row);
  }

  private static Bytes given(Supplier<Bytes> function) {
    return Objects.requireNonNull(function.get(), "the mapping gave null");
  }

  private KvException refused(String what, @Nullable RuntimeException cause) {
    return new KvException.InvalidArgument(
        "mapping "
            + mapping.name()
            + " of collection "
            + collection
            + ": "
            + what
            + ": mend the mapping, or the entry",
        cause);
  }

  private KvException unreadable(StoreKey key, RuntimeException cause) {
    return new KvException.Permanent(
        "collection "
            + collection
            + " holds a row that mapping "
            + mapping.name()
            + " cannot map back, "
            + key
            + ": mend the mapping, or delete the row through the store itself",
        cause);
  }
}
