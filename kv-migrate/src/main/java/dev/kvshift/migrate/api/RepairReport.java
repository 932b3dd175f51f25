package dev.kvshift.migrate.api;

import java.util.List;

/**
 * The result of a repair.
 *
 * @param repaired number of keys that differed and are now equal on both sides
 * @param reasserted how many of them needed a new version at the source
 * @param left number of keys that still differ
 * @param leftKeys the first of them, as many as {@link MigrationOptions#listedDifferences()}
 */
public record RepairReport(long repaired, long reasserted, long left, List<LeftKey> leftKeys) {
  /** Copies the list. */
  public RepairReport {
    leftKeys = List.copyOf(leftKeys);
  }

  /**
   * A key that could not be repaired.
   *
   * @param difference the key, and how it still differs
   * @param reason why it could not be repaired
   */
  public record LeftKey(Difference difference, String reason) {
    /** Returns key and reason for people. */
    @Override
    public String toString() {
      return difference + ": " + reason;
    }
  }
}
