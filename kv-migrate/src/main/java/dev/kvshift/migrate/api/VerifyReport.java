package dev.kvshift.migrate.api;

import java.time.Duration;
import java.util.List;

/**
 * The result of comparing both stores. Only live entries count: a deleted or expired entry is
 * absent.
 *
 * @param sourceRows live rows scanned on the source
 * @param targetRows live rows scanned on the target
 * @param rechecked keys that were read again on both sides, one by one
 * @param counts the number of differing keys
 * @param foreign the number of differing keys whose target's version the leader has never issued
 * @param keys the first differing keys, as many as {@link MigrationOptions#listedDifferences()}
 * @param duration time taken
 */
public record VerifyReport(
    long sourceRows,
    long targetRows,
    long rechecked,
    DifferenceCounts counts,
    long foreign,
    List<Difference> keys,
    Duration duration) {
  /** Copies the list. */
  public VerifyReport {
    keys = List.copyOf(keys);
  }

  /** Creates a report on stores that nothing else has written to. */
  public VerifyReport(
      long sourceRows,
      long targetRows,
      long rechecked,
      DifferenceCounts counts,
      List<Difference> keys,
      Duration duration) {
    this(sourceRows, targetRows, rechecked, counts, 0, keys, duration);
  }

  /** Returns the report with another time taken. */
  public VerifyReport taking(Duration longer) {
    return new VerifyReport(sourceRows, targetRows, rechecked, counts, foreign, keys, longer);
  }

  /** Returns the number of keys that differ. */
  public long differences() {
    return counts.total();
  }
}
