package dev.kvshift.migrate.internal.monitor;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The age of the oldest change that is not applied, measured by when its position was first seen as
 * the newest one. Compares no clocks; knows nothing from before its first sample, so the age is
 * then a lower bound. Memory is bounded. For one thread.
 */
final class LagClock {
  private static final int MAX_SAMPLES = 1_000;

  private final Deque<Sample> waiting = new ArrayDeque<>();
  private long newest = Long.MIN_VALUE;

  private record Sample(long nanos, long position) {}

  /**
   * Adds a sample and returns the lag in seconds.
   *
   * @param nanos the monotonic time
   * @param committed the newest position of the change log
   * @param applied the position up to which everything is applied
   */
  double seconds(long nanos, long committed, long applied) {
    if (committed > newest) {
      newest = committed;
      if (waiting.size() == MAX_SAMPLES) {
        thinOut();
      }
      waiting.addLast(new Sample(nanos, committed));
    }
    while (!waiting.isEmpty() && waiting.getFirst().position <= applied) {
      waiting.removeFirst();
    }
    return waiting.isEmpty() ? 0 : (nanos - waiting.getFirst().nanos) / 1e9;
  }

  /** Drops every second sample, but not the first: a lag may be found older, never younger. */
  private void thinOut() {
    boolean isKept = false;
    for (var samples = waiting.iterator(); samples.hasNext(); ) {
      samples.next();
      isKept = !isKept;
      if (!isKept) {
        samples.remove();
      }
    }
  }
}
