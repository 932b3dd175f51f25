package dev.kvshift.migrate.internal.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.LedgerKey;
import dev.kvshift.migrate.internal.ledger.TaskRecord;
import dev.kvshift.migrate.internal.ledger.TaskState;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class LeadTest {
  private static final LedgerKey<TaskRecord> LEAD = TaskRecord.key(TaskKind.LEAD);

  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final Ledger ledger =
      new Ledger(store.metadata(), "files", Duration.ofSeconds(10), Clock.systemUTC());

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void take_fromAHost_isGivenBackToTheHosts() {
    ledger.put(LEAD, TaskRecord.WANTED.with(TaskState.WANTED.takenBy("host", Duration.ofHours(1))));

    Lead lead = Lead.take(ledger, "files", () -> {});

    assertThat(state().status()).isEqualTo(TaskState.Status.RUNNING);
    assertThat(state().owner()).isNotEqualTo("host");
    assertThat(state().attempt()).isEqualTo(2);
    lead.leave();
    assertThat(state().status()).isEqualTo(TaskState.Status.WANTED);
  }

  @Test
  void take_nobodyHasAskedHosts_leavesThemNothing() {
    Lead lead = Lead.take(ledger, "files", () -> {});
    assertThat(state().status()).isEqualTo(TaskState.Status.RUNNING);

    lead.leave();

    assertThat(state().status()).isEqualTo(TaskState.Status.DONE);
  }

  @Test
  void leave_anotherRunHasTakenIt_changesNothing() {
    Lead first = Lead.take(ledger, "files", () -> {});
    Lead second = Lead.take(ledger, "files", () -> {});
    TaskState held = state();

    first.leave();

    assertThat(state()).isEqualTo(held);
    second.leave();
    assertThat(state().status()).isEqualTo(TaskState.Status.WANTED);
  }

  private TaskState state() {
    return ledger.require(LEAD).state();
  }
}
