package dev.kvshift.transition.model;

/**
 * The rules of the shard directory that {@link DirectoryModel} can switch off: section 7 of the
 * protocol.
 */
enum DirectoryRule {
  /** An entry is sent once its row was acknowledged. Off: with it, and both are awaited. */
  ROW_FIRST,
  /** A write whose row has an unknown outcome fails. Off: it sends the entry. */
  UNKNOWN_ROW_FAILS,
  /** A writer remembers rows that it has read or that were acknowledged. Off: that it has sent. */
  CACHE_ACKNOWLEDGED,
  /** Directory rows are never deleted. Off: a janitor deletes the rows of empty shards. */
  NEVER_DELETED,
  /** Directory rows never expire. Off: they may. */
  NEVER_EXPIRING,
  /** A writer's cache ends with the incarnation. Off: it survives a wipe. */
  CACHE_PER_INCARNATION,
  /** Tables are named after the incarnation. Off: a late write gets into the next one. */
  TABLE_PER_INCARNATION,
  /**
   * The directory's incarnation is raised to that of the entries before it is opened. Off: at some
   * time afterwards.
   */
  DIRECTORY_ALIGNED
}
