package dev.kvshift.migrate.api;

/** The kinds of cutover, by which services change from the old store to the new one. */
public enum Way {
  /**
   * In one step, with a pause of less than a second for writers. Services need nothing but their
   * connection string.
   */
  FENCE,
  /**
   * Phase by phase, without a pause. Services write to both stores for a while, which takes longer,
   * and each phase before the last can be taken back.
   */
  DUAL_WRITE
}
