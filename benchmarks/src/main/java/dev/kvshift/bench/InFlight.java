package dev.kvshift.bench;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Keeps so many operations under way from one thread, the same for every contender. */
final class InFlight {
  private final int limit;
  private final Semaphore permits;
  private final AtomicReference<@Nullable Throwable> failed = new AtomicReference<>();

  InFlight(int limit) {
    this.limit = limit;
    permits = new Semaphore(limit);
  }

  /** Begins an operation, waiting for its turn. */
  void run(Supplier<? extends CompletionStage<?>> operation) throws InterruptedException {
    permits.acquire();
    operation
        .get()
        .whenComplete(
            (done, error) -> {
              if (error != null) {
                failed.compareAndSet(null, error);
              }
              permits.release();
            });
  }

  /** Waits until all have ended. */
  void await() throws InterruptedException {
    permits.acquire(limit);
    permits.release(limit);
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
