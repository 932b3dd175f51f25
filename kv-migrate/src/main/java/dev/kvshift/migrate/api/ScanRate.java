package dev.kvshift.migrate.api;

import java.util.OptionalInt;

/**
 * Maximum number of rows per second that the scans of one step may read, of both stores together. A
 * limit leaves the services beside them their share of the stores. Immutable.
 */
public final class ScanRate {
  private static final ScanRate UNLIMITED = new ScanRate(OptionalInt.empty());

  private final OptionalInt rowsPerSecond;

  private ScanRate(OptionalInt rowsPerSecond) {
    this.rowsPerSecond = rowsPerSecond;
  }

  /** Returns the rate of scans that read as fast as the stores answer. */
  public static ScanRate unlimited() {
    return UNLIMITED;
  }

  /**
   * Returns a limit.
   *
   * @param rows rows per second, 100 to 10,000,000
   * @throws IllegalArgumentException if the number is out of range
   */
  public static ScanRate rowsPerSecond(int rows) {
    return new ScanRate(
        OptionalInt.of(MigrationOptions.require("scanRowsPerSecond", rows, 100, 10_000_000)));
  }

  /** Returns the limit in rows per second, or empty if there is none. */
  public OptionalInt rowsPerSecond() {
    return rowsPerSecond;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ScanRate that && rowsPerSecond.equals(that.rowsPerSecond);
  }

  @Override
  public int hashCode() {
    return rowsPerSecond.hashCode();
  }

  @Override
  public String toString() {
    return rowsPerSecond.isEmpty() ? "unlimited" : rowsPerSecond.getAsInt() + " rows/s";
  }
}
