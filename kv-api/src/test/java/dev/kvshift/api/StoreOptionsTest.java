package dev.kvshift.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class StoreOptionsTest {
  private static final int ACTIONS = 10_000;
  private static final int LEAST_THREADS = 4;

  /** The default executor of a completable future starts one for each on small machines. */
  @Test
  void defaultExecutor_manyActions_runOnFewDaemonThreads() throws InterruptedException {
    Executor executor = StoreOptions.defaults().executor();
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    CountDownLatch ended = new CountDownLatch(ACTIONS);
    for (int i = 0; i < ACTIONS; i++) {
      executor.execute(
          () -> {
            threads.add(Thread.currentThread());
            ended.countDown();
          });
    }
    assertThat(ended.await(1, TimeUnit.MINUTES)).isTrue();
    assertThat(threads)
        .hasSizeLessThanOrEqualTo(Math.max(LEAST_THREADS, ForkJoinPool.getCommonPoolParallelism()))
        .allMatch(Thread::isDaemon);
  }
}
