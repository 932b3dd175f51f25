package dev.kvshift.bench;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Keeps so many operations under way without a thread of its own: each begins the next one where it
 * ends. No thread is woken for one operation, so that what is measured does not hang on how many of
 * them a waking thread finds done.
 */
final class Lanes {
  private final int count;
  private final IntFunction<? extends CompletionStage<?>> operation;
  private final AtomicInteger begun = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();
  private final CountDownLatch done = new CountDownLatch(1);
  private final AtomicReference<@Nullable Throwable> failed = new AtomicReference<>();

  private Lanes(int count, IntFunction<? extends CompletionStage<?>> operation) {
    this.count = count;
    this.operation = operation;
  }

  /** Runs so many operations, numbered from 0, and waits for their ends. */
  static void run(int lanes, int count, IntFunction<? extends CompletionStage<?>> operation)
      throws InterruptedException {
    Lanes all = new Lanes(count, operation);
    for (int i = 0; i < Math.min(lanes, count); i++) {
      all.next();
    }
    all.done.await();
    Throwable error = all.failed.get();
    if (error != null) {
      throw new IllegalStateException("an operation failed, so that nothing was measured", error);
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
      failed.compareAndSet(null, error);
      done.countDown();
    } else if (ended.incrementAndGet() == count) {
      done.countDown();
    } else {
      next();
    }
  }
}
