package dev.kvshift.migrate.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The accounting of copied rows. It is complete if every row that was read is written, skipped or
 * rejected: see {@link #residue()}. Immutable.
 *
 * @param read rows returned by the scan of the source
 * @param written rows acknowledged by the target
 * @param skipped rows that a fresh target does not need
 * @param rejected rows that the target can never hold; their keys are quarantined
 * @param highestVersion highest version read, in microseconds since 1970; 0 if no row was read
 */
public record CopyCounts(
    long read, long written, Skipped skipped, long rejected, long highestVersion) {
  /** The counts before the first row. */
  public static final CopyCounts NONE = new CopyCounts(0, 0, new Skipped(0, 0), 0, 0);

  /**
   * Rows that were read and not written.
   *
   * @param tombstones deleted entries
   * @param expired entries whose TTL had passed
   * @param left entries that were to expire soon enough, as the options allow
   */
  public record Skipped(long tombstones, long expired, LeftToExpire left) {
    /** Creates a count without entries that were left to expire. */
    public Skipped(long tombstones, long expired) {
      this(tombstones, expired, LeftToExpire.NONE);
    }

    Skipped plus(Skipped other) {
      return new Skipped(
          tombstones + other.tombstones, expired + other.expired, left.plus(other.left));
    }
  }

  /**
   * Rows that are not copied because they expire soon.
   *
   * @param rows number of these rows
   * @param last when the last of them expires; null if there is none
   */
  public record LeftToExpire(long rows, @Nullable Instant last) {
    /** No row was left. */
    public static final LeftToExpire NONE = new LeftToExpire(0, null);

    /** Returns the sum of both counts. */
    public LeftToExpire plus(LeftToExpire other) {
      boolean isLater = last == null || (other.last != null && other.last.isAfter(last));
      return new LeftToExpire(rows + other.rows, isLater ? other.last : last);
    }

    /** Returns whether every row that was left had expired by an instant. */
    public boolean isGoneBy(Instant instant) {
      return last == null || !last.isAfter(instant);
    }
  }

  /** Returns the sum of both counts. */
  public CopyCounts plus(CopyCounts other) {
    return new CopyCounts(
        read + other.read,
        written + other.written,
        skipped.plus(other.skipped),
        rejected + other.rejected,
        Math.max(highestVersion, other.highestVersion));
  }

  /** Returns the number of rows that are not accounted for; anything but 0 is a defect. */
  public long residue() {
    return read - written - skipped.tombstones - skipped.expired - skipped.left.rows - rejected;
  }
}
