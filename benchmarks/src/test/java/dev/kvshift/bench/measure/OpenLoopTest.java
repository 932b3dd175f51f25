package dev.kvshift.bench.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

final class OpenLoopTest {
  private static final double PER_SECOND = 10_000;
  private static final int COUNT = 200;

  @Test
  void run_everyOperation_isBegunOnceAndCounted() throws Exception {
    List<Integer> begun = new ArrayList<>();
    Histogram latencies =
        OpenLoop.run(
            PER_SECOND,
            COUNT,
            1,
            number -> {
              begun.add(number);
              return CompletableFuture.completedFuture(number);
            });

    assertThat(latencies.getTotalCount()).isEqualTo(COUNT);
    assertThat(begun).hasSize(COUNT).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void run_stallOfTheFirst_countsForThoseThatWereDueMeanwhile() throws Exception {
    long allDueNanos = (long) (COUNT / PER_SECOND * TimeUnit.SECONDS.toNanos(1));
    Executor later = CompletableFuture.delayedExecutor(3 * allDueNanos, TimeUnit.NANOSECONDS);

    Histogram latencies =
        OpenLoop.run(
            PER_SECOND,
            COUNT,
            1,
            number ->
                number == 0
                    ? CompletableFuture.runAsync(() -> {}, later)
                    : CompletableFuture.completedFuture(null));

    assertThat(latencies.getMinValue()).isGreaterThan(allDueNanos);
  }

  @Test
  void run_operationFails_hasNoFigure() {
    assertThatThrownBy(
            () ->
                OpenLoop.run(
                    PER_SECOND,
                    COUNT,
                    4,
                    number ->
                        number == 7
                            ? CompletableFuture.failedFuture(new IllegalStateException("no"))
                            : CompletableFuture.completedFuture(null)))
        .hasMessage("an operation failed: this block has no figure");
  }
}
