package dev.kvshift.bench.scylla;

import dev.kvshift.spi.Mutation;
import java.nio.ByteBuffer;

/** Rows of ranges: some main keys, each with {@link #ENTRIES} entries. Values repeat. */
final class RangeRows {
  static final int ENTRIES = 100;

  private final byte[][] mains;
  private final byte[][] values;
  private final Mutation[] puts;

  RangeRows(byte[][] mains, byte[][] values) {
    this.mains = mains;
    this.values = values;
    puts = PointRows.puts(values);
  }

  byte[][] mains() {
    return mains;
  }

  long size() {
    return (long) mains.length * ENTRIES;
  }

  /** Returns the clustering key of an entry. */
  static byte[] clustering(int entry) {
    return ByteBuffer.allocate(Integer.BYTES).putInt(entry).array();
  }

  byte[] value(int entry) {
    return values[entry % values.length];
  }

  Mutation put(int entry) {
    return puts[entry % puts.length];
  }
}
