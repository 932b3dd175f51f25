package dev.kvshift.migrate.internal.verify;

import dev.kvshift.api.Bytes;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * The progress of the scan of both sides: positions, sums, and the sketch of the difference. A page
 * counts together with its position, so that what is saved and read again counts each row once.
 * Safe for use by many threads.
 */
final class ScanState {
  private static final int FORMAT = 1;

  private final List<ScanPart> parts;
  private final SideTotals source;
  private final SideTotals target;
  private final RowSketch sketch;

  /** Pages are added under the shared lock, and saved under the exclusive one. */
  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  private ScanState(List<ScanPart> parts, SideTotals source, SideTotals target, RowSketch sketch) {
    this.parts = new ArrayList<>(parts);
    this.source = source;
    this.target = target;
    this.sketch = sketch;
  }

  static ScanState begin(List<ScanPart> parts, int sketchBits) {
    return new ScanState(parts, new SideTotals(), new SideTotals(), new RowSketch(sketchBits));
  }

  int size() {
    return parts.size();
  }

  ScanPart part(int number) {
    synchronized (parts) {
      return parts.get(number);
    }
  }

  SideTotals source() {
    return source;
  }

  SideTotals target() {
    return target;
  }

  RowSketch sketch() {
    return sketch;
  }

  /** Adds the rows of a page, after which the part is scanned up to {@code next}. */
  void add(int number, List<RowDigest> rows, @Nullable Bytes next) {
    lock.readLock().lock();
    try {
      ScanPart part = part(number);
      for (RowDigest row : rows) {
        if (part.side() == ScanPart.Side.SOURCE) {
          source.add(row);
          sketch.add(row);
        } else {
          target.add(row);
          sketch.subtract(row);
        }
      }
      synchronized (parts) {
        parts.set(number, part.advance(next));
      }
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Writes the state; pages wait meanwhile. */
  void write(DataOutput out) throws IOException {
    lock.writeLock().lock();
    try {
      out.writeInt(FORMAT);
      out.writeInt(parts.size());
      for (ScanPart part : parts) {
        part.write(out);
      }
      source.write(out);
      target.write(out);
      sketch.write(out);
    } finally {
      lock.writeLock().unlock();
    }
  }

  /**
   * Reads a state.
   *
   * @throws IOException if it is malformed or has another format
   */
  static ScanState read(DataInput in) throws IOException {
    if (in.readInt() != FORMAT) {
      throw new IOException("another format");
    }
    List<ScanPart> parts = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      parts.add(ScanPart.read(in));
    }
    return new ScanState(parts, SideTotals.read(in), SideTotals.read(in), RowSketch.read(in));
  }
}
