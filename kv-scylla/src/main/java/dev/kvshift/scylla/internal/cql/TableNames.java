package dev.kvshift.scylla.internal.cql;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.CollectionRecord;

/**
 * Names of tables: {@code NAME_iN} for a collection, {@code NAME_iN_shards} for its shard directory
 * and {@code NAME_iN_chunks} for its large values. N is the incarnation. A '-' in the collection's
 * name becomes '_', which a table's name can hold; a name that has '_' itself stays as it is and
 * has {@code _u} instead of {@code _i}.
 *
 * <p>The mapping is injective: the suffix says which kind of table it is, the incarnation follows
 * the last {@code _i} or {@code _u}, and that letter says whether a '_' of the rest stands for '-'.
 * A collection's name never has both. A name has at most {@value #MAX_TABLE_NAME} characters.
 */
public final class TableNames {
  static final int MAX_TABLE_NAME = 48;

  /** Keeps the longest name, with its suffixes, within {@value #MAX_TABLE_NAME} characters. */
  static final long MAX_INCARNATION = 999_999;

  public static final String METADATA = "kvshift_metadata";
  public static final String LOCKS = "kvshift_locks";
  private static final String CHUNKS = "_chunks";
  private static final String DOCS = "; see docs/scylla.md of kvshift";

  /** The comment of the table of records. */
  static final String METADATA_COMMENT =
      "kvshift records of collections, migrations and lock spaces: text, shown by"
          + " blobAsText(record)"
          + DOCS;

  /** The comment of the table of locks. */
  static final String LOCKS_COMMENT =
      "kvshift locks of services: granted is the fencing token, expires in ms since 1970" + DOCS;

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
        + (name.indexOf('_') < 0 ? "_i" : "_u")
        + incarnation
        + (directory ? CollectionRecord.DIRECTORY_SUFFIX : "");
  }

  /** Returns the name of the table of large values. A shard directory has none. */
  public static String chunks(String collection, long incarnation) {
    return data(collection, incarnation) + CHUNKS;
  }

  /** Returns the comment of a collection's table, for people who find it with a CQL shell. */
  public static String comment(String collection, long incarnation, String layout) {
    return (isDirectory(collection)
            ? "kvshift shard directory of collection "
                + collection.substring(
                    0, collection.length() - CollectionRecord.DIRECTORY_SUFFIX.length())
            : "kvshift collection " + collection)
        + ", incarnation "
        + incarnation
        + ", layout "
        + layout
        + "; v is a format byte, an expiry (8 bytes, ms since 1970 or 0) and the value"
        + DOCS;
  }

  /** Returns the comment of the table of large values. */
  public static String chunksComment(String collection, long incarnation) {
    return "kvshift large values of collection "
        + collection
        + ", incarnation "
        + incarnation
        + DOCS;
  }

  public static boolean isDirectory(String collection) {
    return collection.endsWith(CollectionRecord.DIRECTORY_SUFFIX);
  }
}
