package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.RangePage.Stop;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A page of a range: its rows, the reason why it ended, and the clustering key up to which the
 * store has read. Drivers return it; callers of the API see a {@link dev.kvshift.api.RangePage}.
 *
 * <p>Stores with {@link dev.kvshift.api.Capability#TOMBSTONE_READS} include tombstones, in their
 * place. Tombstones count against no limit of the caller, but the store ends a page with {@code
 * SCAN_LIMIT} before it has read too many. Immutable.
 */
public final class RowPage {
  private final List<Row> rows;
  private final Stop stop;
  private final @Nullable Bytes passed;

  private RowPage(List<Row> rows, Stop stop, @Nullable Bytes passed) {
    if ((stop == Stop.END) != (passed == null)) {
      throw new IllegalArgumentException("a page has a position exactly if it is not the last");
    }
    this.rows = List.copyOf(rows);
    this.stop = stop;
    this.passed = passed;
  }

  /**
   * Returns a page.
   *
   * @param rows in the order of the range
   * @param stop the reason why the page ended
   * @param passed the clustering key up to which the range was read, inclusive. It need not exist,
   *     nor lie among the keys of the shard. Null exactly if {@code stop} is {@code END}
   */
  public static RowPage of(List<Row> rows, Stop stop, @Nullable Bytes passed) {
    return new RowPage(rows, stop, passed);
  }

  /** Returns the rows, in the order of the range. */
  public List<Row> rows() {
    return rows;
  }

  /** Returns the reason why the page ended. */
  public Stop stop() {
    return stop;
  }

  /**
   * Returns the clustering key up to which the range was read; the next page begins after it. It
   * need not exist. Null exactly if this page is the last.
   */
  public @Nullable Bytes passed() {
    return passed;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RowPage that
        && rows.equals(that.rows)
        && stop == that.stop
        && Objects.equals(passed, that.passed);
  }

  @Override
  public int hashCode() {
    return Objects.hash(rows, stop, passed);
  }

  @Override
  public String toString() {
    return "RowPage[rows=" + rows + ", stop=" + stop + ", passed=" + passed + "]";
  }
}
