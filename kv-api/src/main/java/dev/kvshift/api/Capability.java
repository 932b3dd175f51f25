package dev.kvshift.api;

/**
 * An ability that a store declares or lacks. If a driver declares it, the kit runs the tests of the
 * behaviour; if not, the kit asserts {@link KvException.UnsupportedCapability}.
 */
public enum Capability {
  /** Entries expire at an absolute instant. */
  EXPIRY,
  /** A write may carry its version; the greatest version wins, whatever the order of arrival. */
  VERSIONED_WRITES,
  /** Reads return tombstones as rows without a value, with their version. */
  TOMBSTONE_READS,
  /** Range collections: pages in clustering order, forward and backward. */
  RANGES,
  /** A main key may grow without limit, so the store needs no sharded store around it. */
  LARGE_MAIN_KEYS,
  /** A collection can be dropped with everything in it. */
  DROP,
  /** The whole of a collection can be scanned, with versions and expiry, by resumable tasks. */
  SCAN,
  /** Committed changes can be read in commit order from a position on. */
  CHANGE_SOURCE,
  /** The change source registers its consumers and says so before it drops what one needs. */
  CHANGE_CONSUMERS,
  /** The store is a leader that holds a gate: epochs, phases, leases. */
  GATE,
  /** The gate can hold back writers behind a fence and hand over. */
  FENCING,
  /** The leader remembers over restarts which clients have used a collection, and when. */
  USAGE,
  /** Leases on keys with fencing tokens. */
  LOCKS,
  /** A space of locks has a gate of its own, by which it moves to another store. */
  LOCK_GATE,
  /** Small records with compare-and-set, for layouts and the runner. */
  METADATA
}
