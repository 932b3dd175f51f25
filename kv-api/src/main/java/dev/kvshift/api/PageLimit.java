package dev.kvshift.api;

/**
 * How much one page of a range read may hold; it ends at whichever limit is met first.
 *
 * <p>A page holds at least one entry where there is one to give, even if that entry alone is larger
 * than {@code bytes}. Immutable.
 *
 * @param entries at most so many entries, from 1 to {@value #MAX_ENTRIES}
 * @param bytes at most so many bytes of clustering keys and values, from 1 to {@value #MAX_BYTES}
 */
public record PageLimit(int entries, int bytes) {
  /** The most entries that a page may be asked for. */
  public static final int MAX_ENTRIES = 10_000;

  /** The most bytes that a page may be asked for: 16 MiB. */
  public static final int MAX_BYTES = 16 << 20;

  /** What {@link #entries(int)} allows in bytes: 1 MiB. */
  public static final int DEFAULT_BYTES = 1 << 20;

  public PageLimit {
    if (entries < 1 || entries > MAX_ENTRIES) {
      throw new IllegalArgumentException(
          "page limit of " + entries + " entries: give 1 to " + MAX_ENTRIES);
    }
    if (bytes < 1 || bytes > MAX_BYTES) {
      throw new IllegalArgumentException(
          "page limit of " + bytes + " bytes: give 1 to " + MAX_BYTES);
    }
  }

  /** Returns a limit of so many entries and 1 MiB. */
  public static PageLimit entries(int entries) {
    return new PageLimit(entries, DEFAULT_BYTES);
  }
}
