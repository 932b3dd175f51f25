package dev.kvshift.legacy.server.internal.storage;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Keys of the small records that describe a collection: the kind of record, the number of the
 * collection, and what distinguishes records of one kind. Stateless.
 *
 * <p>Dropping a collection removes the records of every kind that is listed here.
 */
public final class MetaKeys {
  /** The gate: one record. */
  public static final String GATE = "gate/";

  /** The version below which tombstones may be purged: one record. */
  public static final String HORIZON = "horizon/";

  /** The leases of instances, by name. */
  public static final String LEASE = "lease/";

  /** The newest position at a time, by the time in milliseconds. */
  public static final String NOTE = "note/";

  /** The registered consumers of changes, by name. */
  public static final String CONSUMER = "consumer/";

  /** The last row count that has ended: one record. */
  public static final String COUNT = "count/";

  /** The sweep over the rows that is in progress: one record. */
  public static final String SWEEP = "walk/";

  /** The usage statistics, by client. */
  public static final String USAGE = "usage/";

  /** The processes that have logged changes, by the first position of each. */
  public static final String LIFE = "life/";

  private static final List<String> KINDS =
      List.of(GATE, HORIZON, LEASE, NOTE, CONSUMER, COUNT, SWEEP, USAGE, LIFE);

  private MetaKeys() {}

  /** Returns all kinds of records that a collection can have. */
  public static List<String> kinds() {
    return KINDS;
  }

  /** Returns the key of a record, or the prefix of all records of a kind. */
  public static byte[] of(String kind, int collection, byte... rest) {
    byte[] prefix = Database.utf8(kind);
    return ByteBuffer.allocate(prefix.length + Integer.BYTES + rest.length)
        .put(prefix)
        .putInt(collection)
        .put(rest)
        .array();
  }
}
