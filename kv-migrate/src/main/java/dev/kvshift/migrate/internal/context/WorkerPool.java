package dev.kvshift.migrate.internal.context;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** The worker threads of one migration. Safe for use by many threads. */
public final class WorkerPool implements AutoCloseable {
  private static final long CLOSE_SECONDS = 10;

  private final ExecutorService executor;

  /** Creates a pool whose threads are named {@code name-1}, {@code name-2}, … */
  public WorkerPool(String name) {
    AtomicInteger number = new AtomicInteger();
    executor =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, name + "-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Returns the executor for work that may block. */
  public ExecutorService executor() {
    return executor;
  }

  /**
   * Processes each item, at most {@code concurrency} at a time. The first failure keeps further
   * items from being started, and is thrown once the running ones have ended.
   */
  public <T> void forEach(List<T> items, int concurrency, Consumer<T> work) {
    AtomicInteger next = new AtomicInteger();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    List<CompletableFuture<Void>> running = new ArrayList<>();
    for (int i = 0; i < Math.min(concurrency, items.size()); i++) {
      running.add(
          CompletableFuture.runAsync(
              () -> {
                for (int item = next.getAndIncrement();
                    item < items.size() && failure.get() == null;
                    item = next.getAndIncrement()) {
                  try {
                    work.accept(items.get(item));
                  } catch (RuntimeException | Error e) {
                    failure.compareAndSet(null, e);
                  }
                }
              },
              executor));
    }
    for (CompletableFuture<Void> worker : running) {
      Await.of(worker);
    }
    Throwable failed = failure.get();
    if (failed != null) {
      throw Await.failure(failed);
    }
  }

  /** Interrupts the workers and waits for them, 10 s at most. */
  @Override
  public void close() {
    executor.shutdownNow();
    try {
      executor.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
