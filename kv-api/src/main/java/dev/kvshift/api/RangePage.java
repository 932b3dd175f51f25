package dev.kvshift.api;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A page of a range read: its entries, the reason why it ended, and the continuation of the next
 * page.
 *
 * <p>A page can be short or empty and still not be the last: only {@link Stop#END} is the end. Each
 * entry was current at some moment of the read; a page is not a snapshot. Immutable.
 */
public final class RangePage {
  private final List<Entry> entries;
  private final Stop stop;
  private final @Nullable Continuation next;

  /** The reason why a page ended. */
  public enum Stop {
    /** The range has no more entries. */
    END,
    /** The page has reached its limit of entries. */
    ENTRY_LIMIT,
    /** The page has reached its limit of bytes. */
    BYTE_LIMIT,
    /** The store has read as many deleted or expired entries as it does for one request. */
    SCAN_LIMIT
  }

  private RangePage(List<Entry> entries, Stop stop, @Nullable Continuation next) {
    if ((stop == Stop.END) != (next == null)) {
      throw new IllegalArgumentException("a page has a continuation exactly if it is not the last");
    }
    this.entries = List.copyOf(entries);
    this.stop = stop;
    this.next = next;
  }

  /**
   * Returns a page.
   *
   * @param entries in the order of the range
   * @param stop the reason why the page ended
   * @param next the continuation; null exactly if {@code stop} is {@link Stop#END}
   */
  public static RangePage of(List<Entry> entries, Stop stop, @Nullable Continuation next) {
    return new RangePage(entries, stop, next);
  }

  /** Returns the entries, in the order of the range. */
  public List<Entry> entries() {
    return entries;
  }

  /** Returns the reason why the page ended. */
  public Stop stop() {
    return stop;
  }

  /** Returns the continuation of the next page; null exactly if this page is the last. */
  public @Nullable Continuation next() {
    return next;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RangePage that
        && entries.equals(that.entries)
        && stop == that.stop
        && Objects.equals(next, that.next);
  }

  @Override
  public int hashCode() {
    return Objects.hash(entries, stop, next);
  }

  @Override
  public String toString() {
    return "RangePage[entries=" + entries + ", stop=" + stop + ", next=" + next + "]";
  }
}
