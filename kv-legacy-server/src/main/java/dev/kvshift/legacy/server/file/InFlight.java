package dev.kvshift.legacy.server.file;

import dev.kvshift.api.KvException;
import java.time.Duration;
import java.util.Iterator;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What one store in the process has asked for and not been answered: ended with an error at its
 * deadline, should the disk have stalled, and when the store is closed. Safe for use by many
 * threads.
 */
final class InFlight implements AutoCloseable {
  /** What the commit pipeline gets beyond a deadline to give its own, certain, answer. */
  static final Duration GRACE = Duration.ofMillis(250);

  private static final Duration TICK = Duration.ofMillis(50);

  private final String store;

  /** In the order in which they came; those that have been answered go at the next tick. */
  private final Queue<Request> requests = new ConcurrentLinkedQueue<>();

  private final ScheduledExecutorService ticker;

  private record Request(CompletableFuture<?> result, long deadlineNanos, boolean write) {}

  InFlight(String store) {
    this.store = store;
    ticker =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "legacy-deadlines");
              thread.setDaemon(true);
              return thread;
            });
    ticker.scheduleWithFixedDelay(
        this::expire, TICK.toNanos(), TICK.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Watches over a request until it is answered. */
  <T extends @Nullable Object> CompletableFuture<T> track(
      CompletableFuture<T> result, long deadlineNanos, boolean write) {
    if (!result.isDone()) {
      requests.add(new Request(result, deadlineNanos, write));
    }
    return result;
  }

  private void expire() {
    long now = System.nanoTime() - GRACE.toNanos();
    for (Iterator<Request> left = requests.iterator(); left.hasNext(); ) {
      Request request = left.next();
      if (!request.result.isDone() && request.deadlineNanos - now <= 0) {
        fail(request, store + " has not answered in time");
      }
      if (request.result.isDone()) {
        left.remove();
      }
    }
  }

  private static void fail(Request request, String what) {
    request.result.completeExceptionally(
        request.write
            ? new KvException.UnknownOutcome(
                what + "; the write may have been applied, or still be: read back")
            : new KvException.Transient(what + ": try again"));
  }

  @Override
  public void close() {
    ticker.shutdownNow();
    for (Request request : requests) {
      fail(request, store + " was closed");
    }
  }
}
