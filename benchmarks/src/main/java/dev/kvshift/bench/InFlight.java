package dev.kvshift.bench;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps about so many operations under way from one thread, the same for every contender. Where all
 * places are taken, the thread waits until an eighth of them are free: to be woken for each
 * operation would cost more than much of what is compared.
 */
final class InFlight {
  private static final int SHARE_FREE = 8;

  private final int limit;
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicReference<@Nullable Throwable> failed = new AtomicReference<>();
  private volatile @Nullable Waiter waiter;

  private record Waiter(Thread thread, int atMost) {}

  InFlight(int limit) {
    this.limit = limit;
  }

  /** Begins an operation, waiting for its turn. */
  void run(Supplier<? extends CompletionStage<?>> operation) throws InterruptedException {
    if (underWay.get() == limit) {
      awaitAtMost(limit - Math.max(1, limit / SHARE_FREE));
    }
    underWay.incrementAndGet();
    operation.get().whenComplete((done, error) -> ended(error));
  }

  private void ended(@Nullable Throwable error) {
    if (error != null) {
      failed.compareAndSet(null, error);
    }
    int left = underWay.decrementAndGet();
    Waiter waiting = waiter;
    if (waiting != null && left <= waiting.atMost) {
      LockSupport.unpark(waiting.thread);
    }
  }

  private void awaitAtMost(int left) throws InterruptedException {
    waiter = new Waiter(Thread.currentThread(), left);
    while (underWay.get() > left) {
      LockSupport.park(this);
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
    waiter = null;
  }

  /** Waits until all have ended. */
  void await() throws InterruptedException {
    awaitAtMost(0);
    Throwable error = failed.get();
    if (error != null) {
      throw new IllegalStateException("an operation failed, so that nothing was measured", error);
    }
  }

  /** Waits until all have ended, and returns how many that were a second. */
  double perSecond(long startNanos, long count) throws InterruptedException {
    await();
    return count * 1e9 / (System.nanoTime() - startNanos);
  }
}
