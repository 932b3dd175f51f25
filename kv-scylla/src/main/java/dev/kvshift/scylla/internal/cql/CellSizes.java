package dev.kvshift.scylla.internal.cql;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * The sizes of a table's rows, as recent reads and writes have met them. Decides how many rows a
 * request may ask for, since servers limit pages by rows and callers limit them by bytes.
 *
 * <p>Begins with the largest cell that can be stored, grows at once with a larger row, and shrinks
 * slowly. A request never asks for more than {@value #GROWTH} times the rows that were met before,
 * so that the first pages of an unknown table stay small. Safe for use by many threads; a lost
 * update does no harm.
 */
public final class CellSizes {
  private static final int GROWTH = 8;
  private static final int SHRINK = 64;
  private static final int ENOUGH = 1 << 20;

  private final int largest;
  private final AtomicInteger met = new AtomicInteger();
  private volatile int usual;

  /**
   * Creates the sizes of a table whose rows are unknown.
   *
   * @param largest largest possible cell in bytes
   */
  public CellSizes(int largest) {
    this.largest = largest;
    usual = largest;
  }

  /** Records the size of a row that was read or written. */
  public void note(int bytes) {
    int before = usual;
    if (met.get() < ENOUGH && met.getAndIncrement() == 0) {
      usual = Math.max(1, bytes);
    } else if (bytes > before) {
      usual = bytes;
    } else if (before - bytes >= SHRINK) {
      usual = before - (before - bytes) / SHRINK;
    }
  }

  /** Returns the expected sum of the sizes of rows, in bytes; 0 if none was met. */
  public long expected(int rows) {
    return met.get() == 0 ? 0 : (long) usual * rows;
  }

  /**
   * Returns the number of rows that fill the bytes, and one more, which shows that they are full.
   */
  public int rowsFor(long bytes) {
    long rows = Math.max(0, bytes) / usual + 1;
    int known = met.get();
    return (int)
        Math.min(known == 0 ? Math.max(0, bytes) / largest + 1 : (long) GROWTH * known, rows);
  }
}
