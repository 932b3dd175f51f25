package dev.kvshift.bench.measure;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a number of operations in flight from one thread.
 *
 * <p>When the limit is reached, the thread waits until an eighth of the operations have ended.
 * Waking it for each operation would cost more than much of what is compared.
 */
public final class InFlight {
  private static final int WAKE_FRACTION = 8;

  private final int limit;
  private final AtomicInteger pending = new AtomicInteger();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private volatile @Nullable Waiter waiter;

  private record Waiter(Thread thread, int atMost) {}

  public InFlight(int limit) {
    this.limit = limit;
  }

  /** Begins an operation, once fewer than the limit are in flight. */
  public void run(Supplier<? extends CompletionStage<?>> operation) throws InterruptedException {
    if (pending.get() == limit) {
      awaitAtMost(limit - Math.max(1, limit / WAKE_FRACTION));
    }
    pending.incrementAndGet();
    operation.get().whenComplete((done, error) -> ended(error));
  }

  private void ended(@Nullable Throwable error) {
    if (error != null) {
      failure.compareAndSet(null, error);
    }
    int left = pending.decrementAndGet();
    Waiter waiting = waiter;
    if (waiting != null && left <= waiting.atMost) {
      LockSupport.unpark(waiting.thread);
    }
  }

  private void awaitAtMost(int left) throws InterruptedException {
    waiter = new Waiter(Thread.currentThread(), left);
    while (pending.get() > left) {
      LockSupport.park(this);
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
    waiter = null;
  }

  /**
   * Waits until all operations have ended.
   *
   * @throws IllegalStateException if one of them failed
   */
  public void await() throws InterruptedException {
    awaitAtMost(0);
    Throwable error = failure.get();
    if (error != null) {
      throw new IllegalStateException("an operation failed: this block has no figure", error);
    }
  }

  /** Waits until all operations have ended and returns their rate per second. */
  public double perSecond(long startNanos, long count) throws InterruptedException {
    await();
    return count * 1e9 / (System.nanoTime() - startNanos);
  }
}
