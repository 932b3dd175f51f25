package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.kvshift.api.KvException;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.Step;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.QuarantinedKey;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** A runner lifts its own fence, whatever ends the attempt, and never another's. */
final class FenceTest {
  private final Thread runner = Thread.currentThread();

  @Test
  void cutover_interruptedInsideTheFence_liftsItAndStaysInterrupted() {
    try (Sides sides = new Sides()) {
      Intercepted.Fault interrupting =
          (type, method, arguments, request) ->
              method.equals("fence") ? request.send().thenApply(this::interrupted) : request.send();
      Throwable failure = interruptedCutover(sides.from(Intercepted.late(interrupting)));

      assertThat(failure)
          .isExactlyInstanceOf(KvException.Transient.class)
          .hasMessage("the runner was interrupted: start it again to resume")
          .hasNoSuppressedExceptions();
      Gate.State state = Await.of(sides.from.gate().state());
      assertThat(state.fence()).isNull();
      assertThat(state.phase()).isEqualTo(Phase.LEGACY);
    }
  }

  @Test
  void cutover_fenceCannotBeLifted_keepsTheFirstFailure() {
    try (Sides sides = new Sides()) {
      Intercepted.Fault failing =
          (type, method, arguments, request) ->
              switch (method) {
                case "fence" -> request.send().thenApply(this::interrupted);
                case "lift" -> CompletableFuture.failedFuture(new KvException.Permanent("not now"));
                default -> request.send();
              };
      Throwable failure = interruptedCutover(sides.from(Intercepted.late(failing)));

      assertThat(failure).hasMessage("the runner was interrupted: start it again to resume");
      assertThat(failure.getSuppressed()).hasSize(1);
      assertThat(failure.getSuppressed()[0]).hasMessage("not now");
    }
  }

  @Test
  void cutover_movedByAnotherRunnerSinceItWasPrepared_isCompleted() {
    try (Sides sides = new Sides()) {
      sides.fill(10);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.prepare();
        sides.run(Migration::run);

        CutoverReport report = migration.cutover();

        assertThat(report.floor()).isEqualTo(Await.of(sides.from.gate().state()).floor());
      }
    }
  }

  @Test
  void cutover_fenceOfAnotherRunner_waitsForItsDeadline() {
    try (Sides sides = new Sides()) {
      List<Object> lifted = new CopyOnWriteArrayList<>();
      Intercepted.Fault counting = counting("lift", lifted);
      sides.fill(10);
      try (Migration migration =
          Migration.of(sides.from(Intercepted.late(counting)).plan(), ProgressListener.NONE)) {
        migration.copy();
        migration.verify();
        Await.of(sides.from.gate().fence("another", FenceOptions.lasting(Duration.ofSeconds(2))));

        CutoverReport report = migration.cutover();

        assertThat(report.attempts()).isEqualTo(1);
        assertThat(lifted).isEmpty();
      }
    }
  }

  @Test
  void cutover_besideALiveRunner_leavesItsFence() throws InterruptedException {
    try (Sides sides = new Sides()) {
      CompletableFuture<Void> release = new CompletableFuture<>();
      CountDownLatch moving = new CountDownLatch(1);
      Intercepted.Fault holding =
          (type, method, arguments, request) -> {
            if (!method.equals("move")) {
              return request.send();
            }
            moving.countDown();
            return release.thenCompose(released -> request.send());
          };
      List<Object> lifted = new CopyOnWriteArrayList<>();
      Looking looking = new Looking(counting("lift", lifted));
      sides.fill(10);
      try (Migration first = Migration.of(patient(sides.from(holding)), ProgressListener.NONE);
          Migration second =
              Migration.of(patient(sides.from(Intercepted.late(looking))), looking::report)) {
        first.copy();
        first.verify();
        CompletableFuture<CutoverReport> moved = CompletableFuture.supplyAsync(first::cutover);
        moving.await();
        // Only now: the second run takes the stream over, which the first needs until it moves.
        CompletableFuture<Throwable> waited =
            CompletableFuture.supplyAsync(() -> catchThrowable(second::cutover));
        looking.seen.await();
        release.complete(null);

        assertThat(moved.join().attempts()).isEqualTo(1);
        assertThat(waited.join())
            .isExactlyInstanceOf(KvException.Transient.class)
            .hasMessage(
                "collection files has moved meanwhile: start the cutover again to finish it");
        assertThat(lifted).isEmpty();
        try (Migration third = Migration.of(patient(sides), ProgressListener.NONE)) {
          assertThat(third.run().certificate())
              .contains("\"fence\":{\"attempt\":\"" + moved.join().attempt() + "\"");
        }
      }
    }
  }

  @Test
  void cutover_keyQuarantinedInsideTheFence_isRefused() {
    try (Sides sides = new Sides()) {
      Intercepted.Fault rejecting =
          (type, method, arguments, request) -> {
            if (method.equals("fence")) {
              sides
                  .ledger()
                  .put(
                      QuarantinedKey.ALL.in("d5cd"),
                      new QuarantinedKey(5, "too large", 1, null, 0));
            }
            return request.send();
          };
      sides.fill(10);
      try (Migration migration =
          Migration.of(patient(sides.from(rejecting)), ProgressListener.NONE)) {
        migration.copy();
        migration.verify();

        assertThatThrownBy(migration::cutover)
            .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
            .hasMessageContaining("1 keys are quarantined");
        Gate.State state = Await.of(sides.from.gate().state());
        assertThat(state.fence()).isNull();
        assertThat(state.phase()).isEqualTo(Phase.LEGACY);
      }
    }
  }

  @Test
  void cutover_leaderWhoseVersionsAreAhead_isRefusedWithoutAFence() {
    List<Object> fenced = new CopyOnWriteArrayList<>();
    Intercepted.Fault ahead =
        (type, method, arguments, request) -> {
          if (method.equals("fence")) {
            fenced.add(arguments[0]);
          }
          CompletionStage<?> answer = request.send();
          return method.equals("state")
              ? answer.thenApply(state -> ((Gate.State) state).withVersionCeiling(inSeconds(2)))
              : answer;
        };
    assertRefused(ahead, "the source issues versions ");
    assertThat(fenced).isEmpty();
  }

  @Test
  void cutover_fenceAheadOfTheClock_isLiftedAndTheCutoverRefused() {
    List<Object> lifted = new CopyOnWriteArrayList<>();
    Intercepted.Fault counting = counting("lift", lifted);
    assertRefused(
        (type, method, arguments, request) -> {
          CompletionStage<?> answer = counting.around(type, method, arguments, request);
          return method.equals("fence")
              ? answer.thenApply(fence -> ahead((Gate.Fence) fence))
              : answer;
        },
        "the fence's version ");
    assertThat(lifted).hasSize(1);
  }

  private static Gate.Fence ahead(Gate.Fence fence) {
    return Gate.Fence.of(fence.attempt(), inSeconds(2), fence.position(), fence.deadline());
  }

  private static long inSeconds(int seconds) {
    return VersionClock.micros(Instant.now().plusSeconds(seconds));
  }

  private static void assertRefused(Intercepted.Fault fault, String why) {
    try (Sides sides = new Sides().from(Intercepted.late(fault))) {
      sides.fill(10);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.copy();
        migration.verify();

        assertThatThrownBy(migration::cutover)
            .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
            .hasMessageContaining(why);
        Gate.State state = Await.of(sides.from.gate().state());
        assertThat(state.fence()).isNull();
        assertThat(state.phase()).isEqualTo(Phase.LEGACY);
        sides.put(Sides.key(1), "writers continue");
      }
    }
  }

  /** Counts how often the second runner looks at the gate once its cutover has begun. */
  private static final class Looking implements Intercepted.Fault {
    final CountDownLatch seen = new CountDownLatch(10);
    private final Intercepted.Fault next;
    private volatile boolean isCutover;

    Looking(Intercepted.Fault next) {
      this.next = next;
    }

    void report(ProgressListener.Event event) {
      isCutover |= event.step() == Step.CUTOVER;
    }

    @Override
    public CompletionStage<?> around(
        Class<?> type, String method, Object[] arguments, Intercepted.Request request) {
      if (isCutover && method.equals("state")) {
        seen.countDown();
      }
      return next.around(type, method, arguments, request);
    }
  }

  private static Intercepted.Fault counting(String counted, List<Object> arguments) {
    return (type, method, given, request) -> {
      if (method.equals(counted)) {
        arguments.add(given[0]);
      }
      return request.send();
    };
  }

  private Object interrupted(Object answer) {
    runner.interrupt();
    return answer;
  }

  /** Returns the failure of a cutover that interrupts this thread, with the flag cleared. */
  private static Throwable interruptedCutover(Sides sides) {
    sides.fill(10);
    Throwable failure;
    try (Migration migration = Migration.of(patient(sides), ProgressListener.NONE)) {
      migration.copy();
      migration.verify();
      failure = catchThrowable(migration::cutover);
      assertThat(Thread.interrupted()).isTrue();
    }
    return failure;
  }

  /** Returns a plan whose fence outlives the test. */
  private static MigrationPlan patient(Sides sides) {
    MigrationOptions options =
        MigrationOptions.builder()
            .topicPartitions(4)
            .pauseLimit(Duration.ofSeconds(50))
            .fenceLifetime(Duration.ofSeconds(60))
            .patience(Duration.ofSeconds(30))
            .build();
    return sides.plan(KafkaBroker.shared(), options);
  }
}
