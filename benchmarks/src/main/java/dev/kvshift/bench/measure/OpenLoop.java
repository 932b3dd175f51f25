package dev.kvshift.bench.measure;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Begins operations at a steady rate, whether or not earlier ones have ended, and measures each
 * from the moment at which it was due.
 *
 * <p>A loop that waits for an answer before it sends the next request leaves out the requests that
 * would have met a stall (coordinated omission). Here a stall counts for every operation that was
 * due in it, also for one that this thread has begun late.
 */
public final class OpenLoop {
  private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(5);
  private static final int DIGITS = 3;

  /** Sleeps at least so long, so that the thread leaves the processor to client and server. */
  private static final long TICK_NANOS = TimeUnit.MICROSECONDS.toNanos(50);

  private OpenLoop() {}

  /**
   * Runs operations and waits until all have ended.
   *
   * @param perSecond the rate at which operations are due
   * @param count the number of operations
   * @param inFlight the largest number of operations in flight; further ones wait, and their waits
   *     count
   * @param operation begins the operation of a number from 0
   * @return the latencies in nanoseconds
   * @throws IllegalStateException if an operation failed
   */
  public static Histogram run(
      double perSecond,
      int count,
      int inFlight,
      IntFunction<? extends CompletionStage<?>> operation)
      throws InterruptedException {
    ConcurrentHistogram latencies = new ConcurrentHistogram(LONGEST_NANOS, DIGITS);
    InFlight load = new InFlight(inFlight);
    double interval = TimeUnit.SECONDS.toNanos(1) / perSecond;
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      int number = i;
      long due = start + (long) (i * interval);
      for (long early = due - System.nanoTime(); early > 0; early = due - System.nanoTime()) {
        LockSupport.parkNanos(Math.max(TICK_NANOS, early));
      }
      load.run(
          () ->
              operation
                  .apply(number)
                  .whenComplete(
                      (done, error) ->
                          latencies.recordValue(Math.min(LONGEST_NANOS, System.nanoTime() - due))));
    }
    load.await();
    return latencies;
  }
}
