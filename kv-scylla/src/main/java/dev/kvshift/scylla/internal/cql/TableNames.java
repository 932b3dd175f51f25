package dev.kvshift.scylla.internal.cql;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.CollectionRecord;

/**
 * Names of tables: {@code NAME_iN} for a collection, {@code NAME_iN_shards} for its shard directory
 * and {@code NAME_iN_chunks} for its large values. N is the incarnation, and '-' in the
 * collection's name becomes '_'.
 *
 * <p>The mapping is injective: the suffix says which kind of table it is, the incarnation follows
 * the last {@code _i}, and the rest is a collection's name, which has no '_'. A name has at most
 * {@value #MAX_TABLE_NAME} characters.
 */
public final class TableNames {
  static final int MAX_TABLE_NAME = 48;

  /** Keeps the longest name, with its suffixes, within {@value #MAX_TABLE_NAME} characters. */
  static final long MAX_INCARNATION = 999_999;

  public static final String METADATA = "kvshift_metadata";
  public static final String LOCKS = "kvshift_locks";
  private static final String CHUNKS = "_chunks";

  private TableNames() {}

  public static String data(String collection, long incarnation) {
    CollectionRecord.requireName(collection);
    if (incarnation < 1 || incarnation > MAX_INCARNATION) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + ": incarnation "
              + incarnation
              + " is not within 1 to "
              + MAX_INCARNATION
              + ": use another collection name");
    }
    boolean directory = isDirectory(collection);
    String name =
        directory
            ? collection.substring(
                0, collection.length() - CollectionRecord.DIRECTORY_SUFFIX.length())
            : collection;
    return name.replace('-', '_')
        + "_i"
        + incarnation
        + (directory ? CollectionRecord.DIRECTORY_SUFFIX : "");
  }

  /** Returns the name of the table of large values. A shard directory has none. */
  public static String chunks(String collection, long incarnation) {
    return data(collection, incarnation) + CHUNKS;
  }

  public static boolean isDirectory(String collection) {
    return collection.endsWith(CollectionRecord.DIRECTORY_SUFFIX);
  }
}
