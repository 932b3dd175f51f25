package dev.kvshift.migrate.internal.host;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.KvException;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.Failure;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.TaskRecord;
import dev.kvshift.migrate.internal.ledger.TaskState;
import dev.kvshift.migrate.internal.task.HeldTask;
import dev.kvshift.migrate.internal.task.Holder;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class RunningTaskTest {
  private static final Duration LEASE = Duration.ofSeconds(10);
  private static final HeldTask.Task<TaskRecord> TASK =
      new HeldTask.Task<>(TaskRecord.key(TaskKind.COPY), "copy of collection files");

  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final Ledger ledger =
      new Ledger(store.metadata(), "files", Duration.ofSeconds(10), Clock.systemUTC());

  RunningTaskTest() {
    ledger.put(TASK.key(), TaskRecord.WANTED);
  }

  @AfterEach
  void close() {
    store.close();
  }

  static Stream<Arguments> ends() {
    return Stream.of(
        Arguments.of("done", work(() -> {}), state(TaskState.Status.DONE, 0, "")),
        Arguments.of(
            "a store does not answer",
            work(
                () -> {
                  throw new KvException.Transient("silent");
                }),
            state(TaskState.Status.WANTED, 1, "silent")),
        Arguments.of(
            "an outcome is unknown",
            work(
                () -> {
                  throw new KvException.UnknownOutcome("lost");
                }),
            state(TaskState.Status.WANTED, 1, "lost")),
        Arguments.of(
            "a store refuses",
            work(
                () -> {
                  throw new KvException.Permanent("refused");
                }),
            failed(Failure.WRONG, "refused")),
        Arguments.of(
            "too many rows are rejected",
            work(
                () -> {
                  throw new MigrationException.TooManyErrors("rejected");
                }),
            failed(Failure.TOO_MANY_ERRORS, "rejected")),
        Arguments.of(
            "a defect without words",
            work(
                () -> {
                  throw new IllegalStateException();
                }),
            failed(Failure.INTERNAL, "IllegalStateException")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("ends")
  void work_ends_asRecorded(
      String what, Consumer<RunningTask<TaskRecord>> work, TaskState expected) {
    RunningTask<TaskRecord> task = RunningTask.start("copy", take("a"), true, work);

    until("the work has ended", task::hasEnded);
    assertThat(found()).isEqualTo(expected);
  }

  @Test
  void work_ofATaskThatIsNotRetried_failsForGoodIfAStoreIsSilent() {
    RunningTask<TaskRecord> task =
        RunningTask.start(
            "step",
            take("a"),
            false,
            work(
                () -> {
                  throw new KvException.Transient("silent");
                }));

    until("the work has ended", task::hasEnded);
    assertThat(found()).isEqualTo(failed(Failure.UNAVAILABLE, "silent"));
  }

  @Test
  void handOver_workThatChecks_leavesTheTaskToOthers() {
    RunningTask<TaskRecord> task =
        RunningTask.start("copy", take("a"), true, RunningTaskTest::workForever);

    task.handOver();

    until("the work has ended", task::hasEnded);
    assertThat(found()).isEqualTo(state(TaskState.Status.WANTED, 0, ""));
  }

  @Test
  void awaitEnd_workThatWaits_isInterruptedAndHandedOver() {
    RunningTask<TaskRecord> task =
        RunningTask.start("copy", take("a"), true, running -> Await.pause(1_000_000));

    task.handOver();
    task.awaitEnd(Duration.ofSeconds(1));

    until("the work has ended", task::hasEnded);
    assertThat(found()).isEqualTo(state(TaskState.Status.WANTED, 0, ""));
  }

  @Test
  void check_taskThatAnotherHasTaken_endsTheWorkAndChangesNothing() {
    HeldTask<TaskRecord> held = take("a");
    RunningTask<TaskRecord> task =
        RunningTask.start(
            "copy",
            held,
            true,
            running -> {
              while (true) {
                running.held().renew();
              }
            });

    TaskState taken =
        ledger
            .updatePresent(TASK.key(), record -> record.with(record.state().takenBy("b", LEASE)))
            .state();

    until("the work has ended", task::hasEnded);
    assertThat(found()).isEqualTo(taken);
  }

  private static void workForever(RunningTask<TaskRecord> task) {
    while (true) {
      task.pause(Duration.ofMillis(1));
    }
  }

  private static Consumer<RunningTask<TaskRecord>> work(Runnable work) {
    return task -> work.run();
  }

  private static TaskState failed(Failure kind, String reason) {
    return new TaskState(TaskState.Status.FAILED, "a", 1, 0, LEASE, 1, reason, kind);
  }

  private static TaskState state(TaskState.Status status, int failures, String reason) {
    return new TaskState(status, "a", 1, 0, LEASE, failures, reason, null);
  }

  private HeldTask<TaskRecord> take(String owner) {
    return Objects.requireNonNull(
        HeldTask.take(
            ledger, TASK, ledger.require(TASK.key()), new Holder(owner, LEASE, System::nanoTime)));
  }

  private TaskState found() {
    return ledger.require(TASK.key()).state();
  }
}
