package dev.kvshift.model.advise;

/**
 * The limits that partitions must keep, and what the advisor must know to compare entries with
 * them. Immutable.
 */
public final class PartitionLimits {
  /** Default limit of a partition: 10 MB. */
  public static final long DEFAULT_MAX_BYTES = 10_000_000;

  /** Default limit of a partition: 100,000 entries. */
  public static final long DEFAULT_MAX_ENTRIES = 100_000;

  /**
   * Default overhead of an entry: 24 bytes for the driver's header and for the row and cell. On
   * disk and before compression, 20 to 21 bytes were measured for entries without a TTL that were
   * written within seconds; timestamps months apart take about 3 more.
   */
  public static final int DEFAULT_ENTRY_OVERHEAD_BYTES = 24;

  private static final int DEFAULT_PAGE_ENTRIES = 100;

  private final long maxBytes;
  private final long maxEntries;
  private final int entryOverheadBytes;
  private final int pageEntries;
  private final double scale;

  private PartitionLimits(
      long maxBytes, long maxEntries, int entryOverheadBytes, int pageEntries, double scale) {
    if (maxBytes < 1 || maxEntries < 1 || entryOverheadBytes < 0 || pageEntries < 1) {
      throw new IllegalArgumentException(
          "partition limits must be at least 1, the overhead of an entry at least 0");
    }
    if (!(scale >= 1) || Double.isInfinite(scale)) {
      throw new IllegalArgumentException("sample scale " + scale + ": give 1 or more");
    }
    this.maxBytes = maxBytes;
    this.maxEntries = maxEntries;
    this.entryOverheadBytes = entryOverheadBytes;
    this.pageEntries = pageEntries;
    this.scale = scale;
  }

  /** Returns 10 MB and 100,000 entries a partition, pages of 100 entries, and no sampling. */
  public static PartitionLimits defaults() {
    return new PartitionLimits(
        DEFAULT_MAX_BYTES,
        DEFAULT_MAX_ENTRIES,
        DEFAULT_ENTRY_OVERHEAD_BYTES,
        DEFAULT_PAGE_ENTRIES,
        1);
  }

  /** Returns these limits with another maximum size of a partition, in bytes, from 1. */
  public PartitionLimits withMaxBytes(long bytes) {
    return new PartitionLimits(bytes, maxEntries, entryOverheadBytes, pageEntries, scale);
  }

  /** Returns these limits with another maximum number of entries in a partition, from 1. */
  public PartitionLimits withMaxEntries(long entries) {
    return new PartitionLimits(maxBytes, entries, entryOverheadBytes, pageEntries, scale);
  }

  /**
   * Returns these limits with another overhead of an entry.
   *
   * @param bytes what the database adds to an entry's clustering key and value, in bytes, from 0
   */
  public PartitionLimits withEntryOverheadBytes(int bytes) {
    return new PartitionLimits(maxBytes, maxEntries, bytes, pageEntries, scale);
  }

  /**
   * Returns these limits with another page size.
   *
   * @param entries number of entries in a usual page of a range read, from 1
   */
  public PartitionLimits withPageEntries(int entries) {
    return new PartitionLimits(maxBytes, maxEntries, entryOverheadBytes, entries, scale);
  }

  /**
   * Returns these limits for a sample.
   *
   * @param entries number of entries that each given entry stands for, from 1: 100 if one of a
   *     hundred was sampled. Partitions without a sampled entry are not counted.
   */
  public PartitionLimits withScale(double entries) {
    return new PartitionLimits(maxBytes, maxEntries, entryOverheadBytes, pageEntries, entries);
  }

  /** Returns the maximum size of a partition, in bytes. */
  public long maxBytes() {
    return maxBytes;
  }

  /** Returns the maximum number of entries in a partition. */
  public long maxEntries() {
    return maxEntries;
  }

  /** Returns the overhead of an entry, in bytes. */
  public int entryOverheadBytes() {
    return entryOverheadBytes;
  }

  /** Returns the number of entries in a usual page. */
  public int pageEntries() {
    return pageEntries;
  }

  /** Returns the number of entries that each given entry stands for. */
  public double scale() {
    return scale;
  }
}
