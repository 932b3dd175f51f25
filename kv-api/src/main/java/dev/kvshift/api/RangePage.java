package dev.kvshift.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One page of a range read: the entries, why it ended here, and where to go on.
 *
 * <p>A page can be short or empty and still not be the last: only {@link Stop#END} is the end. Each
 * entry was current at some moment of the read; a page is not a snapshot. Immutable.
 *
 * @param entries in the order of the range
 * @param stop why the page ended
 * @param next where the next page begins; null exactly when {@code stop} is {@link Stop#END}
 */
public record RangePage(List<Entry> entries, Stop stop, @Nullable Continuation next) {
  /** Why a page ended. */
  public enum Stop {
    /** Nothing more lies in the range. */
    END,
    /** The limit of entries was met. */
    ENTRY_LIMIT,
    /** The limit of bytes was met. */
    BYTE_LIMIT,
    /** The store has looked at enough deleted or expired entries for one request. */
    SCAN_LIMIT
  }

  public RangePage {
    entries = List.copyOf(entries);
    if ((stop == Stop.END) != (next == null)) {
      throw new IllegalArgumentException("a page goes on exactly when its stop is not END");
    }
  }
}
