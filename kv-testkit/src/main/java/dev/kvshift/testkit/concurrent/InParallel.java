package dev.kvshift.testkit.concurrent;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Runs the same body on several threads that start together. */
public final class InParallel {
  private InParallel() {}

  /** The body of one thread. */
  @FunctionalInterface
  public interface Body {
    /**
     * Runs the body.
     *
     * @param thread the thread's number, from 0
     */
    void run(int thread);
  }

  /** The body of one thread that returns a result. */
  @FunctionalInterface
  public interface Task<T extends @Nullable Object> {
    /**
     * Runs the body.
     *
     * @param thread the thread's number, from 0
     */
    T run(int thread);
  }

  /** Runs the body on each thread and waits for all of them; fails if one of them fails. */
  public static void run(int threads, Body body) {
    InParallel.<@Nullable Object>results(
        threads,
        thread -> {
          body.run(thread);
          return null;
        });
  }

  /** Runs the body on each thread and returns the results in the order of the threads. */
  public static <T extends @Nullable Object> List<T> results(int threads, Task<T> body) {
    CountDownLatch ready = new CountDownLatch(threads);
    List<CompletableFuture<T>> running = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      int number = i;
      running.add(
          CompletableFuture.supplyAsync(
              () -> {
                awaitAll(ready);
                return body.run(number);
              },
              task -> startDaemon(task, number)));
    }
    List<T> results = new ArrayList<>();
    for (CompletableFuture<T> thread : running) {
      results.add(result(thread));
    }
    return results;
  }

  private static void startDaemon(Runnable task, int number) {
    Thread thread = new Thread(task, "kit-" + number);
    thread.setDaemon(true);
    thread.start();
  }

  private static void awaitAll(CountDownLatch ready) {
    ready.countDown();
    try {
      ready.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  private static <T extends @Nullable Object> T result(CompletableFuture<T> thread) {
    try {
      return thread.get(Await.LONGEST.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError("a thread failed: " + e.getCause(), e.getCause());
    } catch (InterruptedException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }
}
