package dev.kvshift.migrate.internal.context;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The rate at which an amount has grown over the last half minute, from samples of it. An average
 * since the beginning would keep what a cold start, a pause or a resumed amount adds to it, so the
 * time left that follows from it would be wrong for long. Memory is bounded. For one thread.
 */
public final class RateWindow {
  /** The time over which the rate is measured, as long as there are samples of it. */
  public static final Duration WINDOW = Duration.ofSeconds(30);

  private static final int MAX_SAMPLES = 64;
  private static final long APART_NANOS = WINDOW.toNanos() / (MAX_SAMPLES / 2);

  private final Deque<Sample> samples = new ArrayDeque<>();

  private record Sample(long nanos, long amount) {}

  /**
   * Adds a sample. An amount that has decreased begins anew.
   *
   * @param nanos the monotonic time
   */
  public void add(long nanos, long amount) {
    Sample newest = samples.peekLast();
    if (newest != null && amount < newest.amount) {
      samples.clear();
      newest = null;
    }
    if (newest != null && samples.size() > 1 && nanos - beforeLast().nanos < APART_NANOS) {
      samples.removeLast();
    }
    samples.addLast(new Sample(nanos, amount));
    while (samples.size() > 2 && nanos - second().nanos >= WINDOW.toNanos()) {
      samples.removeFirst();
    }
  }

  /** Returns the rate per second; 0 until two samples lie apart in time. */
  public double perSecond() {
    Sample oldest = samples.peekFirst();
    Sample newest = samples.peekLast();
    if (oldest == null || newest == null || newest.nanos - oldest.nanos <= 0) {
      return 0;
    }
    return (newest.amount - oldest.amount) / ((newest.nanos - oldest.nanos) / 1e9);
  }

  private Sample beforeLast() {
    var descending = samples.descendingIterator();
    descending.next();
    return descending.next();
  }

  private Sample second() {
    var ascending = samples.iterator();
    ascending.next();
    return ascending.next();
  }
}
