package dev.kvshift.migrate.api;

import java.time.Duration;

/**
 * What became of the rows that the copy has read, over all runs of it. The sums hold: {@code read =
 * written + skippedTombstones + skippedExpired + rejected}.
 *
 * @param read rows that the scan of the source gave
 * @param written rows that the target has acknowledged
 * @param skippedTombstones deleted entries, of which a fresh target needs no trace
 * @param skippedExpired entries that had expired
 * @param rejected rows that the target will never take; they are in quarantine
 * @param highestVersion the highest version met, in microseconds since 1970; 0 without rows
 * @param duration how long it took in this run; zero where an earlier one had done it all
 */
public record CopyReport(
    long read,
    long written,
    long skippedTombstones,
    long skippedExpired,
    long rejected,
    long highestVersion,
    Duration duration) {
  /** Returns how many rows are not accounted for: 0 in a copy that is right. */
  public long residue() {
    return read - written - skippedTombstones - skippedExpired - rejected;
  }
}
