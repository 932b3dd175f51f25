package dev.kvshift.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs the same work on several threads at once. */
final class InParallel {
  private InParallel() {}

  /** What one of the threads does. */
  interface Work {
    void run(int thread);
  }

  /** Returns once all have ended; fails where one has failed. */
  static void run(int threads, Work work) {
    List<CompletableFuture<Void>> running = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      int number = i;
      running.add(
          CompletableFuture.runAsync(
              () -> work.run(number),
              task -> {
                Thread thread = new Thread(task, "kit-" + number);
                thread.setDaemon(true);
                thread.start();
              }));
    }
    running.forEach(InParallel::ended);
  }

  private static void ended(CompletableFuture<Void> thread) {
    try {
      thread.get(Await.LONGEST.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError("a thread failed: " + e.getCause(), e.getCause());
    } catch (InterruptedException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }
}
