package dev.kvshift.migrate.internal.verify;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.ScanTask;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A scan task of one side, and how far it is scanned.
 *
 * @param side the side
 * @param range the task
 * @param position the scan position to resume at, or null at the beginning and at the end
 * @param isDone whether all of it is scanned
 */
record ScanPart(Side side, ScanTask range, @Nullable Bytes position, boolean isDone) {
  enum Side {
    SOURCE,
    TARGET
  }

  static ScanPart of(Side side, ScanTask range) {
    return new ScanPart(side, range, null, false);
  }

  /** Returns the part after a page; a page without a next position is the last one. */
  ScanPart advance(@Nullable Bytes next) {
    return new ScanPart(side, range, next, next == null);
  }

  void write(DataOutput out) throws IOException {
    out.writeBoolean(side == Side.SOURCE);
    out.writeLong(range.after());
    out.writeLong(range.upTo());
    out.writeBoolean(isDone);
    out.writeInt(position == null ? -1 : position.size());
    if (position != null) {
      out.write(position.toByteArray());
    }
  }

  static ScanPart read(DataInput in) throws IOException {
    Side side = in.readBoolean() ? Side.SOURCE : Side.TARGET;
    ScanTask range = ScanTask.of(in.readLong(), in.readLong());
    boolean isDone = in.readBoolean();
    int size = in.readInt();
    Bytes position = null;
    if (size >= 0) {
      byte[] bytes = new byte[size];
      in.readFully(bytes);
      position = Bytes.of(bytes);
    }
    return new ScanPart(side, range, position, isDone);
  }
}
