package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A page of a scan, in the store's own order. Stores with tombstone reads include tombstones.
 * Immutable.
 */
public final class ScanPage {
  private final List<Row> rows;
  private final @Nullable Bytes next;

  private ScanPage(List<Row> rows, @Nullable Bytes next) {
    this.rows = List.copyOf(rows);
    this.next = next;
  }

  /**
   * Returns a page.
   *
   * @param rows some rows; possibly none although there is a next page
   * @param next the position of the next page; null at the end of the task
   */
  public static ScanPage of(List<Row> rows, @Nullable Bytes next) {
    return new ScanPage(rows, next);
  }

  /** Returns the rows; possibly none although there is a next page. */
  public List<Row> rows() {
    return rows;
  }

  /**
   * Returns the position of the next page, to be given to the store unchanged, also after a
   * restart; null at the end of the task.
   */
  public @Nullable Bytes next() {
    return next;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ScanPage that
        && rows.equals(that.rows)
        && Objects.equals(next, that.next);
  }

  @Override
  public int hashCode() {
    return Objects.hash(rows, next);
  }

  @Override
  public String toString() {
    return "ScanPage[rows=" + rows + ", next=" + next + "]";
  }
}
