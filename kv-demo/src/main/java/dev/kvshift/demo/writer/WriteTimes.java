package dev.kvshift.demo.writer;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The durations of writes, to a tenth of a millisecond. The memory does not depend on the number of
 * writes.
 */
final class WriteTimes {
  private static final long UNIT_NANOS = TimeUnit.MICROSECONDS.toNanos(100);
  private static final int LONGEST_UNITS = 600_000;

  private final long[] counts = new long[LONGEST_UNITS + 1];
  private long writes;

  void add(Duration time) {
    counts[(int) Math.max(0, Math.min(LONGEST_UNITS, time.toNanos() / UNIT_NANOS))]++;
    writes++;
  }

  /** Returns the time that a share of the writes did not exceed; zero if there are none. */
  Duration percentile(double share) {
    long needed = (long) Math.ceil(writes * share);
    long seen = 0;
    for (int units = 0; units < counts.length; units++) {
      seen += counts[units];
      if (seen >= needed && seen > 0) {
        return Duration.ofNanos((units + 1) * UNIT_NANOS);
      }
    }
    return Duration.ZERO;
  }
}
