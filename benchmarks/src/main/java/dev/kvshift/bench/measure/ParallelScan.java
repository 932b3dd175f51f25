package dev.kvshift.bench.measure;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** Counts rows in several threads. */
public final class ParallelScan {
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  private ParallelScan() {}

  /**
   * Counts the rows of a collection by its scan.
   *
   * @param tasks the number of tasks of the scan
   * @param threads the number of tasks that run at once
   */
  public static long count(StoreCollection collection, int tasks, int threads, PageLimit page)
      throws Exception {
    List<ScanTask> all =
        collection.scanTasks(tasks, Call.within(DEADLINE)).toCompletableFuture().get();
    return sum(all, threads, task -> count(collection, task, page));
  }

  private static long count(StoreCollection collection, ScanTask task, PageLimit page)
      throws Exception {
    long count = 0;
    @Nullable Bytes position = null;
    do {
      ScanPage found =
          collection.scan(task, position, page, Call.within(DEADLINE)).toCompletableFuture().get();
      count += found.rows().size();
      position = found.next();
    } while (position != null);
    return count;
  }

  /** Counts the rows of one part. */
  public interface Counter<T> {
    long count(T part) throws Exception;
  }

  /** Returns the sum of the counts of all parts. */
  public static <T> long sum(List<T> parts, int threads, Counter<T> counter) throws Exception {
    Queue<T> queue = new ConcurrentLinkedQueue<>(parts);
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      Callable<Long> worker =
          () -> {
            long sum = 0;
            for (T part = queue.poll(); part != null; part = queue.poll()) {
              sum += counter.count(part);
            }
            return sum;
          };
      List<Future<Long>> sums = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        sums.add(executor.submit(worker));
      }
      long sum = 0;
      for (Future<Long> one : sums) {
        sum += one.get();
      }
      return sum;
    } finally {
      executor.shutdownNow();
    }
  }
}
