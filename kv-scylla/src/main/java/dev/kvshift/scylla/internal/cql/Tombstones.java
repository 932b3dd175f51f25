package dev.kvshift.scylla.internal.cql;

/** The state of a collection that decides how long its table has to keep tombstones. */
public enum Tombstones {
  /** A migration writes old versions late: a tombstone that is gone brings its row back. */
  IMPORTING,
  /**
   * The table is live and has one copy. Newer servers would drop its tombstones at once, before
   * late writes and retries have arrived.
   */
  ONE_COPY,
  /** The table is live and has several copies. */
  SEVERAL_COPIES
}
