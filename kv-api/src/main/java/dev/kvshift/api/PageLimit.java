package dev.kvshift.api;

/**
 * A limit of one page of a range read, in entries and in bytes. A page ends at whichever is reached
 * first.
 *
 * <p>A page holds at least one entry if there is one, even if that entry alone is larger than
 * {@link #bytes()}. Immutable.
 */
public final class PageLimit {
  /** The highest limit of entries. */
  public static final int MAX_ENTRIES = 10_000;

  /** The highest limit of bytes: 16 MiB. */
  public static final int MAX_BYTES = 16 << 20;

  /** The limit of bytes that {@link #entries(int)} sets: 1 MiB. */
  public static final int DEFAULT_BYTES = 1 << 20;

  private final int entries;
  private final int bytes;

  private PageLimit(int entries, int bytes) {
    if (entries < 1 || entries > MAX_ENTRIES) {
      throw new KvException.InvalidArgument(
          "page limit of " + entries + " entries: give 1 to " + MAX_ENTRIES);
    }
    if (bytes < 1 || bytes > MAX_BYTES) {
      throw new KvException.InvalidArgument(
          "page limit of " + bytes + " bytes: give 1 to " + MAX_BYTES);
    }
    this.entries = entries;
    this.bytes = bytes;
  }

  /**
   * Returns a limit of entries and of 1 MiB.
   *
   * @param entries 1 to {@value #MAX_ENTRIES}
   * @throws KvException.InvalidArgument if it is out of that range
   */
  public static PageLimit entries(int entries) {
    return new PageLimit(entries, DEFAULT_BYTES);
  }

  /**
   * Returns a limit of entries and bytes.
   *
   * @param entries 1 to {@value #MAX_ENTRIES}
   * @param bytes of clustering keys and values, 1 to {@value #MAX_BYTES}
   * @throws KvException.InvalidArgument if one is out of its range
   */
  public static PageLimit of(int entries, int bytes) {
    return new PageLimit(entries, bytes);
  }

  /** Returns the maximum number of entries in a page. */
  public int entries() {
    return entries;
  }

  /** Returns the maximum number of bytes in a page: its clustering keys and values. */
  public int bytes() {
    return bytes;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PageLimit that && entries == that.entries && bytes == that.bytes;
  }

  @Override
  public int hashCode() {
    return 31 * entries + bytes;
  }

  @Override
  public String toString() {
    return "PageLimit[entries=" + entries + ", bytes=" + bytes + "]";
  }
}
