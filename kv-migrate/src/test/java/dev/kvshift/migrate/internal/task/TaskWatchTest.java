package dev.kvshift.migrate.internal.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.migrate.api.Failure;
import dev.kvshift.migrate.internal.ledger.TaskState;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class TaskWatchTest {
  private static final long SECOND = Duration.ofSeconds(1).toNanos();
  private static final TaskState HELD = TaskState.WANTED.takenBy("a", Duration.ofSeconds(10));

  /** The monotonic clock begins anywhere, also just before its numbers turn negative. */
  private static final long START = Long.MAX_VALUE - 5 * SECOND;

  private final TaskWatch watch = new TaskWatch();

  static Stream<Arguments> waits() {
    return Stream.of(
        Arguments.of("nobody has taken it", TaskState.WANTED, Duration.ZERO),
        Arguments.of("handed over", HELD.handedOver(), Duration.ZERO),
        Arguments.of("asked for again", HELD.done().askedAgain(), Duration.ZERO),
        Arguments.of("held", HELD, Duration.ofSeconds(11)),
        Arguments.of("held and renewed", HELD.renewed(), Duration.ofSeconds(11)),
        Arguments.of("failed once", failed(1), Duration.ofSeconds(1)),
        Arguments.of("failed twice", failed(2), Duration.ofSeconds(2)),
        Arguments.of("failed six times", failed(6), Duration.ofSeconds(32)),
        Arguments.of("failed seven times", failed(7), Duration.ofMinutes(1)),
        Arguments.of("failed for weeks", failed(1_000_000), Duration.ofMinutes(1)),
        Arguments.of(
            "held after failures",
            failed(7).takenBy("b", Duration.ofSeconds(20)),
            Duration.ofSeconds(22)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("waits")
  void mayTake_stateSeenUnchanged_fromTheBoundOn(String what, TaskState state, Duration wait) {
    assertThat(watch.mayTake("task", state, START)).isEqualTo(wait.isZero());
    if (!wait.isZero()) {
      assertThat(watch.mayTake("task", state, START + wait.toNanos() - 1)).isFalse();
    }
    assertThat(watch.mayTake("task", state, START + wait.toNanos())).isTrue();
  }

  @Test
  void mayTake_renewedMeanwhile_waitsAgainFromTheRenewal() {
    watch.mayTake("task", HELD, START);

    assertThat(watch.mayTake("task", HELD.renewed(), START + 11 * SECOND)).isFalse();
    assertThat(watch.mayTake("task", HELD.renewed(), START + 22 * SECOND - 1)).isFalse();
    assertThat(watch.mayTake("task", HELD.renewed(), START + 22 * SECOND)).isTrue();
  }

  @Test
  void mayTake_nextAttemptMeanwhile_waitsAgain() {
    TaskState next = HELD.takenBy("b", Duration.ofSeconds(10));
    watch.mayTake("task", HELD, START);

    assertThat(watch.mayTake("task", next, START + 11 * SECOND)).isFalse();
    assertThat(watch.mayTake("task", next, START + 22 * SECOND)).isTrue();
  }

  @Test
  void mayTake_endedTask_never() {
    for (TaskState ended :
        new TaskState[] {HELD.done(), HELD.failedForGood(Failure.WRONG, "why")}) {
      watch.mayTake("task", ended, START);
      assertThat(watch.mayTake("task", ended, START + 1_000 * SECOND)).isFalse();
    }
  }

  @Test
  void mayTake_anotherTaskInTheSameState_isWatchedByItself() {
    watch.mayTake("task", HELD, START);

    assertThat(watch.mayTake("other", HELD, START + 11 * SECOND)).isFalse();
    assertThat(watch.mayTake("task", HELD, START + 11 * SECOND)).isTrue();
  }

  private static TaskState failed(int times) {
    return new TaskState(
        TaskState.Status.WANTED, "a", times, 0, Duration.ofSeconds(10), times, "why", null);
  }
}
