package dev.kvshift.legacy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CoalescingTaskTest {
  private final Queue<Runnable> executor = new ArrayDeque<>();
  private final AtomicInteger runs = new AtomicInteger();
  private final CoalescingTask drain = new CoalescingTask(executor::add, runs::incrementAndGet);

  @Test
  void ask_severalTimesBeforeItRuns_runsOnce() {
    drain.ask();
    drain.ask();

    assertThat(executor).hasSize(1);
    executor.remove().run();
    assertThat(runs).hasValue(1);
    drain.ask();
    executor.remove().run();
    assertThat(runs).hasValue(2);
  }

  @Test
  void ask_whileItRuns_runsAgainInTheSameTurn() {
    Queue<Runnable> during = new ArrayDeque<>();
    AtomicInteger rounds = new AtomicInteger();
    CoalescingTask[] asking = new CoalescingTask[1];
    asking[0] =
        new CoalescingTask(
            during::add,
            () -> {
              if (rounds.incrementAndGet() == 1) {
                asking[0].ask();
              }
            });

    asking[0].ask();
    during.remove().run();

    assertThat(rounds).hasValue(2);
    assertThat(during).isEmpty();
  }

  @Test
  void askAfter_together_waitsForAllThatTheCauseAsks() {
    drain.askAfter(
        () -> {
          drain.ask();
          drain.ask();
          assertThat(executor).isEmpty();
        },
        true);

    assertThat(executor).hasSize(1);
    executor.remove().run();
    assertThat(runs).hasValue(1);
  }

  @Test
  void askAfter_notTogether_doesNotWait() {
    drain.askAfter(
        () -> {
          drain.ask();
          assertThat(executor).hasSize(1);
        },
        false);

    assertThat(executor).hasSize(1);
    executor.remove().run();
    assertThat(runs).hasValue(1);
  }
}
