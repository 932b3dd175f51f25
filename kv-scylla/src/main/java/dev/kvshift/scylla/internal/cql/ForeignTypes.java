package dev.kvshift.scylla.internal.cql;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;

/**
 * The types of a table's columns that kvshift did not make, and what they cannot hold.
 *
 * @param clustering the type of the clustering column; any for a point collection
 */
public record ForeignTypes(ColumnType main, ColumnType clustering, ColumnType value) {
  /**
   * Checks a key.
   *
   * @throws KvException.InvalidArgument if the table can hold no row of that key
   */
  public void check(String collection, StoreKey key) {
    if (key.main().isEmpty()) {
      throw new KvException.InvalidArgument(
          "collection " + collection + ": an empty main key is no partition key: give one byte");
    }
    main.check("collection " + collection + ": a main key", key.main());
    clustering.checkClustering("collection " + collection + ": a clustering key", key.clustering());
  }

  /**
   * Checks a write: its key, its value, and when it expires.
   *
   * @throws KvException.InvalidArgument if the table can never hold the row
   */
  public void check(String collection, StoreKey key, Mutation mutation) {
    check(collection, key);
    Bytes bytes = mutation.value();
    if (bytes != null) {
      value.check("collection " + collection + ": a value", bytes);
    }
    Instant expiry = mutation.expiry();
    if (expiry != null && CellTtl.exact(expiry).removableSecond() > CellTtl.LAST_SECOND) {
      throw new KvException.InvalidArgument(
          "collection "
              + collection
              + ": the entry would expire after 2038-01-19, which no TTL can say: give an earlier"
              + " time or none");
    }
  }
}
