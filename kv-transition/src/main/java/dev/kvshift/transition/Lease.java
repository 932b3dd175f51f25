package dev.kvshift.transition;

import dev.kvshift.spi.Gate;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;

/**
 * The time for which this instance may take what it knows of a collection's phase for the present
 * phase: the leader waits for the end of the lease before it takes a step as done. It begins when
 * the report that renews it is sent, so that the leader's view of it ends later.
 *
 * <p>It holds only if the monotonic <em>and</em> the wall clock say so: the first stands still
 * while a machine is suspended, the second can be set. Safe for use by many threads.
 */
final class Lease {
  private final LongSupplier nanoTime;
  private final LongSupplier wallMillis;
  private volatile Moment renewed;
  private CompletableFuture<Void> next = new CompletableFuture<>();

  /** A reading of both clocks. */
  record Moment(long nanos, long wallMillis) {
    /** Returns the present moment. */
    static Moment now() {
      return new Moment(System.nanoTime(), System.currentTimeMillis());
    }
  }

  /** Creates a lease that holds from a moment on. */
  Lease(LongSupplier nanoTime, LongSupplier wallMillis, Moment renewed) {
    this.nanoTime = nanoTime;
    this.wallMillis = wallMillis;
    this.renewed = renewed;
  }

  /** Returns whether the lease holds now. */
  boolean holds() {
    Moment since = renewed;
    return isWithin(nanoTime.getAsLong() - since.nanos, Gate.LEASE.toNanos())
        && isWithin(wallMillis.getAsLong() - since.wallMillis, Gate.LEASE.toMillis());
  }

  private static boolean isWithin(long elapsed, long limit) {
    return elapsed >= 0 && elapsed < limit;
  }

  /** Takes note that the leader has taken a report. */
  void renew(Moment sent) {
    renewed = sent;
    ended().complete(null);
  }

  /** Takes note that a report has failed, so that who waits for it looks again. */
  void notRenewed() {
    ended().complete(null);
  }

  private synchronized CompletableFuture<Void> ended() {
    CompletableFuture<Void> ended = next;
    next = new CompletableFuture<>();
    return ended;
  }

  /** Returns a stage that ends with the next report, whether it renews the lease or not. */
  synchronized CompletionStage<Void> nextReport() {
    return next;
  }
}
