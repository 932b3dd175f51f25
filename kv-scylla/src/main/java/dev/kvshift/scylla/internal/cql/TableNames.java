package dev.kvshift.scylla.internal.cql;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.CollectionRecord;

/**
 * How collections are called as tables: {@code NAME_iN}, {@code NAME_iN_shards} and {@code
 * NAME_iN_chunks}, where '-' becomes '_' and N is the incarnation.
 *
 * <p>Injective: the ending tells the kind, the incarnation follows the last {@code _i}, and what is
 * left is a name without '_'. Never longer than {@value #MAX_TABLE_NAME}.
 */
public final class TableNames {
  static final int MAX_TABLE_NAME = 48;

  /** Keeps the longest name, with its suffixes, within {@link #MAX_TABLE_NAME}. */
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
              + ", give 1 to "
              + MAX_INCARNATION
              + ": use another name");
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

  /** The table of large values; a shard directory has none. */
  public static String chunks(String collection, long incarnation) {
    return data(collection, incarnation) + CHUNKS;
  }

  public static boolean isDirectory(String collection) {
    return collection.endsWith(CollectionRecord.DIRECTORY_SUFFIX);
  }
}
