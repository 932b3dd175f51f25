package dev.kvshift.scylla.internal.scan;

import dev.kvshift.api.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * The metadata record of a table's sweep: {@code DUE} or {@code DUE RANGE}.
 *
 * @param due when a process may sweep next, in ms since 1970
 * @param range number of the range with which it begins
 */
record SweepRecord(long due, int range) {
  static SweepRecord parse(@Nullable Bytes record) {
    if (record == null) {
      return new SweepRecord(0, 0);
    }
    String text = record.toUtf8();
    int space = text.indexOf(' ');
    if (space < 0) {
      return new SweepRecord(Long.parseLong(text), 0);
    }
    int range = Integer.parseInt(text.substring(space + 1));
    return new SweepRecord(
        Long.parseLong(text.substring(0, space)),
        range >= 0 && range < ChunkSweep.ranges() ? range : 0);
  }

  /** Returns the record of a process that sweeps, until its lease ends. */
  SweepRecord claimed(long until) {
    return new SweepRecord(until, range);
  }

  Bytes print() {
    return Bytes.utf8(range == 0 ? Long.toString(due) : due + " " + range);
  }
}
