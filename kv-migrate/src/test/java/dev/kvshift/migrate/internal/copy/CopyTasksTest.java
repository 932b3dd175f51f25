package dev.kvshift.migrate.internal.copy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.internal.ledger.CopyPlan;
import dev.kvshift.migrate.internal.ledger.CopyTask;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CopyTasksTest {
  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final Ledger ledger =
      new Ledger(store.metadata(), "files", Duration.ofSeconds(10), Clock.systemUTC());

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void plan_twoProcessesAtOnce_oneSetOfRangesCounts() {
    List<ScanTask> first = ranges(3);
    List<ScanTask> second = ranges(5);

    CopyTasks planned = CopyTasks.plan(ledger, first);
    CopyTasks late = CopyTasks.plan(ledger, second);

    assertThat(rangesOf(planned)).isEqualTo(first);
    assertThat(rangesOf(late)).isEqualTo(first);
    assertThat(rangesOf(Objects.requireNonNull(CopyTasks.read(ledger)))).isEqualTo(first);
  }

  @ParameterizedTest
  @CsvSource({"1,1", "16,16", "64,64", "127,127", "128,64", "1024,64", "1040,65", "10000,625"})
  void plan_tasks_areSharedInParts(int tasks, int parts) {
    CopyPlan plan = CopyPlan.of("id", tasks);

    assertThat(plan.parts()).isEqualTo(parts);
    assertThat(CopyTasks.plan(ledger, ranges(tasks)).parts()).isEqualTo(parts);
  }

  private static List<ScanTask> ranges(int count) {
    return LongStream.range(0, count).mapToObj(from -> ScanTask.of(from, from + 1)).toList();
  }

  private static List<ScanTask> rangesOf(CopyTasks tasks) {
    return LongStream.range(0, tasks.parts())
        .boxed()
        .flatMap(part -> tasks.part(part.intValue()).tasks().stream())
        .map(CopyTask::range)
        .toList();
  }
}
