package dev.kvshift.migrate.internal.verify;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The difference between the rows of two sides, in memory that depends on the number of differences
 * only: an invertible Bloom lookup table (Goodrich and Mitzenmacher, 2011).
 *
 * <p>The problem: both sides are scanned once, in different orders, so rows cannot be merged, and
 * nothing may be kept per row. Plain sums by buckets show which buckets differ, but on a busy
 * collection a key that changes between its two scans spoils the bucket of every row beside it, and
 * soon all buckets are spoilt.
 *
 * <p>The idea: each row is added to one cell in each of three tables if it is the source's, and
 * subtracted there if it is the target's. Rows that both sides hold cancel out, whatever the order.
 * A cell that is left with exactly one row shows it, with its sign; taking that row out of its
 * other two cells leaves further cells with one row, until all are empty. That succeeds almost
 * certainly for up to {@link #capacity()} rows, and otherwise leaves cells that are not empty: a
 * difference is never overlooked, at worst it is not named.
 *
 * <p>Takes 96 bytes times 2^bits. Adding is safe for use by many threads.
 */
final class RowSketch {
  private static final int TABLES = 3;
  private static final int WIDTH = 4;
  private static final int MAX_BITS = 24;
  private static final double LOAD = 0.75;

  private final int bits;
  private final AtomicLongArray sums;

  /** Creates an empty sketch of three tables with 2^{@code bits} cells each. */
  RowSketch(int bits) {
    this.bits = bits;
    this.sums = new AtomicLongArray((TABLES * WIDTH) << bits);
  }

  /** Returns the number of differing rows that can be named almost certainly. */
  int capacity() {
    return (int) (LOAD * (TABLES << bits));
  }

  /** Adds a row of the source. */
  void add(RowDigest row) {
    change(row, 1);
  }

  /** Subtracts a row of the target. */
  void subtract(RowDigest row) {
    change(row, -1);
  }

  /**
   * Returns the rows that only one side holds, and empties the sketch. A key whose rows differ is
   * there twice.
   *
   * @return the rows, or null if there are too many to be named
   */
  @Nullable List<RowDigest> takeDifferences() {
    List<RowDigest> found = new ArrayList<>();
    ArrayDeque<Integer> cells = new ArrayDeque<>();
    for (int cell = 0; cell < TABLES << bits; cell++) {
      take(cell, found, cells);
      while (!cells.isEmpty()) {
        take(cells.pop(), found, cells);
      }
    }
    return isEmpty() ? found : null;
  }

  void write(DataOutput out) throws IOException {
    out.writeInt(bits);
    for (int i = 0; i < sums.length(); i++) {
      out.writeLong(sums.get(i));
    }
  }

  static RowSketch read(DataInput in) throws IOException {
    int bits = in.readInt();
    if (bits < 0 || bits > MAX_BITS) {
      throw new IOException("a sketch of 2^" + bits + " cells");
    }
    RowSketch sketch = new RowSketch(bits);
    for (int i = 0; i < sketch.sums.length(); i++) {
      sketch.sums.set(i, in.readLong());
    }
    return sketch;
  }

  /** Takes out the row of a cell that holds exactly one, and lists the cells which that changes. */
  private void take(int cell, List<RowDigest> found, ArrayDeque<Integer> changed) {
    if (found.size() > TABLES << bits) {
      return;
    }
    for (int sign = 1; sign >= -1; sign -= 2) {
      int at = WIDTH * cell;
      RowDigest row =
          new RowDigest(sign * sums.get(at + 1), sign * sums.get(at + 2), sign * sums.get(at + 3));
      if (sums.get(at) == sign * check(row) && cell(row, cell >>> bits) == cell) {
        found.add(row);
        change(row, -sign);
        for (int table = 0; table < TABLES; table++) {
          changed.push(cell(row, table));
        }
        return;
      }
    }
  }

  private void change(RowDigest row, int sign) {
    long check = check(row);
    for (int table = 0; table < TABLES; table++) {
      int at = WIDTH * cell(row, table);
      sums.addAndGet(at, sign * check);
      sums.addAndGet(at + 1, sign * row.key());
      sums.addAndGet(at + 2, sign * row.content());
      sums.addAndGet(at + 3, sign * row.expiry());
    }
  }

  private boolean isEmpty() {
    for (int i = 0; i < sums.length(); i++) {
      if (sums.get(i) != 0) {
        return false;
      }
    }
    return true;
  }

  private int cell(RowDigest row, int table) {
    long hash = mix(row.content() + (table + 1) * 0x9e3779b97f4a7c15L);
    return (table << bits) + (bits == 0 ? 0 : (int) (hash >>> (Long.SIZE - bits)));
  }

  /** Returns a check sum that is never 0, so that a cell in use is not taken for empty. */
  private static long check(RowDigest row) {
    return mix(mix(row.key()) + mix(row.content() ^ row.expiry())) | 1;
  }

  /** The finalizer of SplitMix64: every bit of the result depends on every bit of the number. */
  private static long mix(long number) {
    long z = (number ^ (number >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
