package dev.kvshift.transition;

import dev.kvshift.spi.Gate;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The time for which this instance may rely on the phase that it knows of a collection: the leader
 * waits for the end of the lease before it completes a step. The lease begins when the report that
 * renews it is sent, so that it ends later by the leader's clock than by this one.
 *
 * <p>It holds only if the monotonic <em>and</em> the wall clock say so: the first stops while a
 * machine is suspended, the second can be set. Safe for use by many threads.
 */
final class Lease {
  private final LongSupplier nanoTime;
  private final LongSupplier wallMillis;
  private volatile @Nullable Moment renewed;
  private CompletableFuture<Void> next = new CompletableFuture<>();

  /** A reading of both clocks. */
  record Moment(long nanos, long wallMillis) {
    /** Returns the present moment. */
    static Moment now() {
      return new Moment(System.nanoTime(), System.currentTimeMillis());
    }
  }

  /** Creates a lease that was renewed at a moment; null for one that is over. */
  Lease(LongSupplier nanoTime, LongSupplier wallMillis, @Nullable Moment renewed) {
    this.nanoTime = nanoTime;
    this.wallMillis = wallMillis;
    this.renewed = renewed;
  }

  /** Returns whether the lease holds now. */
  boolean holds() {
    Moment since = renewed;
    return since != null
        && isWithin(nanoTime.getAsLong() - since.nanos, Gate.LEASE.toNanos())
        && isWithin(wallMillis.getAsLong() - since.wallMillis, Gate.LEASE.toMillis());
  }

  private static boolean isWithin(long elapsed, long limit) {
    return elapsed >= 0 && elapsed < limit;
  }

  /** Records that the leader has accepted the report that was sent at a moment. */
  void renew(Moment sent) {
    renewed = sent;
    ended().complete(null);
  }

  /** Ends the lease, as another one counts from now on, and wakes the requests that wait for it. */
  void end() {
    renewed = null;
    ended().complete(null);
  }

  /** Records that a report has failed, so that requests that wait for it look again. */
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
