package dev.kvshift.legacy.server.file;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import java.time.Duration;
import java.util.Iterator;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one store inside the process. An unanswered one fails at its deadline, even if
 * the disk has stalled, and when the store is closed. Safe for use by many threads.
 */
final class Requests implements AutoCloseable {
  /** The time after a deadline in which the commit pipeline may still return a certain answer. */
  static final Duration GRACE = Duration.ofMillis(250);

  private static final Duration TICK = Duration.ofMillis(50);

  private final String store;
  private final Duration timeout;
  private volatile boolean closed;

  /** In the order of their arrival. Answered ones are removed at the next tick. */
  private final Queue<Request> requests = new ConcurrentLinkedQueue<>();

  private final ScheduledExecutorService ticker;

  private record Request(CompletableFuture<?> result, long deadlineNanos, boolean write) {}

  Requests(String store, Duration timeout) {
    this.store = store;
    this.timeout = timeout;
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

  /** Runs an operation with the deadline of a call. Whatever it throws fails the stage. */
  <T extends @Nullable Object> CompletionStage<T> run(
      Call call, Supplier<CompletableFuture<T>> operation) {
    return run(() -> track(operation.get(), call.deadlineNanos(), true));
  }

  /** Returns the call of an operation that has none of its own, with the time-out of the store. */
  Call call() {
    return Call.within(timeout);
  }

  /** Runs an operation that has no call, with the time-out of the store. */
  <T extends @Nullable Object> CompletionStage<T> change(Supplier<CompletableFuture<T>> operation) {
    return run(call(), operation);
  }

  /** Runs a read that may wait for a time before its time-out begins. */
  <T extends @Nullable Object> CompletionStage<T> patiently(
      Duration wait, Supplier<CompletableFuture<T>> operation) {
    return run(
        () -> track(operation.get(), Call.within(timeout.plus(wait)).deadlineNanos(), false));
  }

  /** Runs an operation without a deadline. Whatever it throws fails the stage. */
  <T extends @Nullable Object> CompletionStage<T> run(Supplier<CompletableFuture<T>> operation) {
    return Futures.start(
        () -> {
          if (closed) {
            throw new KvException.Permanent(store + " is closed: open it again");
          }
          return operation.get();
        });
  }

  /** Tracks a request until it is answered. */
  private <T extends @Nullable Object> CompletableFuture<T> track(
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
        fail(request, store + " did not answer in time");
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
    closed = true;
    ticker.shutdownNow();
    for (Request request : requests) {
      fail(request, store + " was closed");
    }
  }
}
