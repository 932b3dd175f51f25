package dev.kvshift.migrate.internal.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.Pause;
import dev.kvshift.migrate.internal.ledger.TaskRecord;
import dev.kvshift.migrate.internal.ledger.TaskState;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A process that deletes waits for others, and for each of them no longer than for one. */
final class ExclusiveTest {
  private static final Duration LEASE = Duration.ofSeconds(1);

  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final MigrationPlan plan =
      MigrationPlan.builder("files", Layout.point())
          .source(store)
          .target(store)
          .bootstrapServers("localhost:1")
          .build();
  private final Ledger ledger = Ledger.of(plan, Clock.systemUTC());

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void of_tasksOfADeadHost_waitsForTheirLeasesAtOnce() {
    for (TaskKind kind :
        List.of(TaskKind.LEAD, TaskKind.COPY, TaskKind.VERIFY, TaskKind.STEP, TaskKind.RUN)) {
      ledger.put(
          TaskRecord.key(kind), TaskRecord.WANTED.with(TaskState.WANTED.takenBy("dead", LEASE)));
    }
    long startNanos = System.nanoTime();

    Exclusive.of(plan, ledger, Clock.systemUTC()).close();

    assertThat(Duration.ofNanos(System.nanoTime() - startNanos))
        .isBetween(LEASE, LEASE.multipliedBy(3));
    assertThat(ledger.get(Pause.KEY)).isNull();
  }
}
