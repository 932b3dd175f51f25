package dev.kvshift.migrate.api;

import java.time.Duration;

/**
 * The size of a migration, extrapolated from a sample of the source.
 *
 * @param tasks number of scan tasks of the source
 * @param sampled number of them that were read to their end
 * @param rowsRead number of live rows in those
 * @param rows estimated number of live rows
 * @param bytes estimated size of their keys and values, in bytes
 * @param largestValueBytes size of the largest value in the sample
 * @param rowsPerSecond the rate at which the sample was read, by one reader
 * @param changesPerSecond committed changes per second while the change log was watched; 0 without
 *     one
 * @param expiring number of live rows in the sample that expire
 * @param longestLife the longest remaining life of those; zero if there are none
 */
public record Sizing(
    int tasks,
    int sampled,
    long rowsRead,
    long rows,
    long bytes,
    int largestValueBytes,
    long rowsPerSecond,
    long changesPerSecond,
    long expiring,
    Duration longestLife) {
  /**
   * Bytes that a row takes beside key and value: headers of the row, its cells, and the version.
   */
  private static final int ROW_OVERHEAD = 40;

  /** Bytes that a change takes in the topic beside key and value. */
  private static final int CHANGE_OVERHEAD = 100;

  /** Returns the mean size of a row, in bytes. */
  public long rowBytes() {
    return rows == 0 ? 0 : bytes / rows;
  }

  /**
   * Returns how long the copy takes at least, if it reads as fast as the sample was read.
   *
   * @param readers number of readers
   * @param limit the limit on all of them
   */
  public Duration copyTime(int readers, ScanRate limit) {
    long rate =
        Math.max(
            1, Math.min(rowsPerSecond * readers, limit.rowsPerSecond().orElse(Integer.MAX_VALUE)));
    return Duration.ofSeconds(rows / rate);
  }

  /**
   * Returns how long a pass in clock order takes at least, which reads both sides, one page after
   * the other.
   */
  public Duration passTime(ScanRate limit) {
    return copyTime(1, limit).multipliedBy(2);
  }

  /** Returns the bytes on the target, uncompressed. */
  public long targetBytes(int replicas) {
    return (bytes + rows * ROW_OVERHEAD) * replicas;
  }

  /** Returns the bytes that the topic holds at most, if changes keep coming as now. */
  public long topicBytes(Duration retention, int replicas) {
    return changesPerSecond * (rowBytes() + CHANGE_OVERHEAD) * retention.toSeconds() * replicas;
  }
}
