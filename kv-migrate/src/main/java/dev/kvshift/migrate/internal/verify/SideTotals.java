package dev.kvshift.migrate.internal.verify;

import java.util.HexFormat;
import java.util.concurrent.atomic.LongAdder;

/** The number of live rows of one side and their 128-bit sum. Safe for use by many threads. */
final class SideTotals {
  private final LongAdder rows = new LongAdder();
  private final LongAdder keys = new LongAdder();
  private final LongAdder contents = new LongAdder();

  void add(RowDigest row) {
    add(1, row.key(), row.content());
  }

  void add(long moreRows, long moreKeys, long moreContents) {
    rows.add(moreRows);
    keys.add(moreKeys);
    contents.add(moreContents);
  }

  long rows() {
    return rows.sum();
  }

  long keys() {
    return keys.sum();
  }

  long contents() {
    return contents.sum();
  }

  /** Returns the sum as 32 hexadecimal digits. */
  String digest() {
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(keys()) + hex.toHexDigits(contents());
  }
}
