package dev.kvshift.migrate.internal.task;

import dev.kvshift.migrate.internal.ledger.TaskState;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * Decides when this process may take a task. No two clocks are compared: a lease is over once this
 * process has seen the same renewal for longer than the lease lasts, by its own monotonic clock,
 * and a tenth more, for clocks that run at different rates. The owner counts from before it asked
 * for that renewal, so its own count ends earlier. For one thread.
 */
public final class TaskWatch {
  private static final int RATE_MARGIN = 10;
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

  private final Map<String, Seen> seen = new HashMap<>();

  private record Seen(TaskState state, long sinceNanos) {}

  /**
   * Returns whether the task may be taken.
   *
   * @param task its name, unique among all that are watched
   * @param state its state
   * @param nowNanos the monotonic time, read after the state
   */
  public boolean mayTake(String task, TaskState state, long nowNanos) {
    if (state.status() == TaskState.Status.DONE || state.status() == TaskState.Status.FAILED) {
      seen.remove(task);
      return false;
    }
    Duration wait = wait(state);
    if (wait.isZero()) {
      return true;
    }
    Seen before = seen.get(task);
    if (before == null || !before.state.equals(state)) {
      seen.put(task, new Seen(state, nowNanos));
      return false;
    }
    return nowNanos - before.sinceNanos >= wait.toNanos();
  }

  /** Returns how long a state must have been seen unchanged before the task may be taken. */
  static Duration wait(TaskState state) {
    if (state.status() == TaskState.Status.RUNNING) {
      return state.lease().plus(state.lease().dividedBy(RATE_MARGIN));
    }
    if (state.failures() == 0) {
      return Duration.ZERO;
    }
    Duration pause = FIRST_PAUSE;
    for (int i = 1; i < state.failures() && pause.compareTo(LONGEST_PAUSE) < 0; i++) {
      pause = pause.multipliedBy(2);
    }
    return pause.compareTo(LONGEST_PAUSE) < 0 ? pause : LONGEST_PAUSE;
  }
}
