package dev.kvshift.migrate.internal.verify;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.HexFormat;
import java.util.concurrent.atomic.LongAdder;

/** The number of live rows of one side and their 128-bit sum. Safe for use by many threads. */
final class SideTotals {
  private final LongAdder rows = new LongAdder();
  private final LongAdder keys = new LongAdder();
  private final LongAdder contents = new LongAdder();

  void add(RowDigest row) {
    rows.increment();
    keys.add(row.key());
    contents.add(row.content());
  }

  long rows() {
    return rows.sum();
  }

  /** Returns the sum as 32 hexadecimal digits. */
  String digest() {
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(keys.sum()) + hex.toHexDigits(contents.sum());
  }

  void write(DataOutput out) throws IOException {
    out.writeLong(rows.sum());
    out.writeLong(keys.sum());
    out.writeLong(contents.sum());
  }

  static SideTotals read(DataInput in) throws IOException {
    SideTotals totals = new SideTotals();
    totals.rows.add(in.readLong());
    totals.keys.add(in.readLong());
    totals.contents.add(in.readLong());
    return totals;
  }
}
