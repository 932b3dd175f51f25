package dev.kvshift.legacy.server.example;

import dev.kvshift.spi.Row;
import java.util.List;

/** A company's own change log, as its client presents it: offsets rise and have gaps. */
interface OldLog {
  /** Returns some entries above an offset in commit order; none at the end. */
  List<OldEntry> after(long offset, int maxEntries);

  /** Returns the offset up to which entries are gone. */
  long droppedOffset();

  /** Calls back once, when something is added above the offset. */
  void onAdded(long offset, Runnable added);

  /** One entry; the row carries the version that the old store's leader gave it. */
  record OldEntry(long offset, Row row) {}
}
