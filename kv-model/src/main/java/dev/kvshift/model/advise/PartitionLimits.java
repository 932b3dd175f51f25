package dev.kvshift.model.advise;

/**
 * What partitions are measured against. Immutable.
 *
 * @param maxBytes how large a partition may be, in bytes
 * @param maxEntries how many entries it may have
 * @param entryOverheadBytes what the database adds to an entry's clustering key and value, in bytes
 * @param pageEntries how many entries a usual page of a range read has, for the cost in shards
 * @param scale how many entries each given one stands for: 1 for all of them, 100 where one in a
 *     hundred was sampled; partitions that the sample does not meet are not counted
 */
public record PartitionLimits(
    long maxBytes, long maxEntries, int entryOverheadBytes, int pageEntries, double scale) {
  /** What a partition should stay below: 10 MB. */
  public static final long DEFAULT_MAX_BYTES = 10_000_000;

  /** What a partition should stay below: 100,000 entries. */
  public static final long DEFAULT_MAX_ENTRIES = 100_000;

  /**
   * The header that the driver puts before a value, and the row's and cell's own: 24 bytes. 20 to
   * 21 were measured on disk, before compression, for entries written within seconds that never
   * expire; timestamps months apart take about 3 more.
   */
  public static final int DEFAULT_ENTRY_OVERHEAD_BYTES = 24;

  public PartitionLimits {
    if (maxBytes < 1 || maxEntries < 1 || entryOverheadBytes < 0 || pageEntries < 1) {
      throw new IllegalArgumentException("partition limits begin at 1, the overhead at 0");
    }
    if (!(scale >= 1) || Double.isInfinite(scale)) {
      throw new IllegalArgumentException("a sample's scale of " + scale + ": give 1 or more");
    }
  }

  /** Returns 10 MB and 100,000 entries, pages of 100 entries, all entries given. */
  public static PartitionLimits defaults() {
    return new PartitionLimits(
        DEFAULT_MAX_BYTES, DEFAULT_MAX_ENTRIES, DEFAULT_ENTRY_OVERHEAD_BYTES, 100, 1);
  }
}
