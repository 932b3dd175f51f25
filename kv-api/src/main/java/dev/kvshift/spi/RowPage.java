package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.RangePage.Stop;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One page of a range: rows in the order of the range, why it ended, and how far it has looked.
 *
 * <p>Stores with {@link dev.kvshift.api.Capability#TOMBSTONE_READS} include tombstones, in their
 * place; they count against no limit of the caller, but the store ends a page with {@code
 * SCAN_LIMIT} before it has looked at too many. Immutable.
 *
 * @param rows in the order of the range
 * @param stop why the page ended
 * @param passed the last clustering key that was looked at, from which the next page goes on,
 *     exclusive; null exactly when {@code stop} is {@code END}
 */
public record RowPage(List<Row> rows, Stop stop, @Nullable Bytes passed) {
  public RowPage {
    rows = List.copyOf(rows);
    if ((stop == Stop.END) != (passed == null)) {
      throw new IllegalArgumentException("a page goes on exactly when its stop is not END");
    }
  }
}
