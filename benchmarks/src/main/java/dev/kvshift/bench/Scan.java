package dev.kvshift.bench;

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

/** Counts the rows of a collection by its scan, some tasks at once. */
final class Scan {
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  private Scan() {}

  static long count(StoreCollection collection, int tasks, int atOnce, PageLimit page)
      throws Exception {
    List<ScanTask> all =
        collection.scanTasks(tasks, Call.within(DEADLINE)).toCompletableFuture().get();
    return inLanes(all, atOnce, task -> count(collection, task, page));
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

  /** Counts something for one part. */
  interface Count<T> {
    long of(T part) throws Exception;
  }

  /** Adds up what is counted for all parts, some at once. */
  static <T> long inLanes(List<T> parts, int lanes, Count<T> count) throws Exception {
    Queue<T> queue = new ConcurrentLinkedQueue<>(parts);
    ExecutorService threads = Executors.newFixedThreadPool(lanes);
    try {
      Callable<Long> lane =
          () -> {
            long sum = 0;
            for (T part = queue.poll(); part != null; part = queue.poll()) {
              sum += count.of(part);
            }
            return sum;
          };
      List<Future<Long>> sums = new ArrayList<>();
      for (int i = 0; i < lanes; i++) {
        sums.add(threads.submit(lane));
      }
      long sum = 0;
      for (Future<Long> one : sums) {
        sum += one.get();
      }
      return sum;
    } finally {
      threads.shutdownNow();
    }
  }
}
