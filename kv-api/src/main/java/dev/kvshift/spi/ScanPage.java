package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One page of a scan, in the store's own order. Stores with tombstone reads include tombstones.
 * Immutable.
 *
 * @param rows some rows; possibly none while there is a next page
 * @param next the position from which the next page goes on, to be handed back as it is, also after
 *     a restart; null at the end of the task
 */
public record ScanPage(List<Row> rows, @Nullable Bytes next) {
  public ScanPage {
    rows = List.copyOf(rows);
  }
}
