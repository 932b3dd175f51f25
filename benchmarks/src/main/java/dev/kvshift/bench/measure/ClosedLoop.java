package dev.kvshift.bench.measure;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a number of operations in flight without a thread of its own: each completion begins the
 * next operation.
 *
 * <p>No thread is woken for an operation, so the figure does not depend on how many completed
 * operations a waking thread happens to find.
 */
public final class ClosedLoop {
  private final int count;
  private final IntFunction<? extends CompletionStage<?>> operation;
  private final AtomicInteger begun = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();
  private final CountDownLatch done = new CountDownLatch(1);
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  private ClosedLoop(int count, IntFunction<? extends CompletionStage<?>> operation) {
    this.count = count;
    this.operation = operation;
  }

  /**
   * Runs operations and waits until all have ended.
   *
   * @param inFlight the number of operations in flight
   * @param count the number of operations
   * @param operation begins the operation of a number from 0
   * @throws IllegalStateException if one of them failed
   */
  public static void run(
      int inFlight, int count, IntFunction<? extends CompletionStage<?>> operation)
      throws InterruptedException {
    ClosedLoop loop = new ClosedLoop(count, operation);
    for (int i = 0; i < Math.min(inFlight, count); i++) {
      loop.next();
    }
    loop.done.await();
    Throwable error = loop.failure.get();
    if (error != null) {
      throw new IllegalStateException("an operation failed: this block has no figure", error);
    }
  }

  private void next() {
    int number = begun.getAndIncrement();
    if (number >= count) {
      return;
    }
    try {
      operation.apply(number).whenComplete(this::ended);
    } catch (RuntimeException e) {
      ended(null, e);
    }
  }

  private void ended(@Nullable Object result, @Nullable Throwable error) {
    if (error != null) {
      failure.compareAndSet(null, error);
      done.countDown();
    } else if (ended.incrementAndGet() == count) {
      done.countDown();
    } else {
      next();
    }
  }
}
