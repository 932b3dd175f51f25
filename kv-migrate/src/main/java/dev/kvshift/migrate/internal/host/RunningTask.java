package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.Failure;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.SharedRecord;
import dev.kvshift.migrate.internal.ledger.TaskState;
import dev.kvshift.migrate.internal.task.HeldTask;
import dev.kvshift.migrate.internal.task.TaskLost;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A task that this process works on, on a thread of its own. Whatever ends the work is recorded: a
 * store or broker that does not answer is retried after a pause, by any host, if the task is one
 * that is retried; any other failure stays until somebody asks again. Safe for use by many threads.
 *
 * @param <T> the task's record
 */
final class RunningTask<T extends SharedRecord<T>> {
  private static final Logger LOG = LoggerFactory.getLogger(RunningTask.class);

  private final String name;
  private final HeldTask<T> held;
  private final boolean isRetried;
  private final Consumer<RunningTask<T>> work;
  private final Thread thread;
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile boolean isHandedOver;
  private volatile boolean isReplaced;

  private RunningTask(
      String name, HeldTask<T> held, boolean isRetried, Consumer<RunningTask<T>> work) {
    this.name = name;
    this.held = held;
    this.isRetried = isRetried;
    this.work = work;
    this.thread = new Thread(this::run, "kvshift-" + name);
    this.thread.setDaemon(true);
  }

  /**
   * Starts to work.
   *
   * @param isRetried whether a store or broker that does not answer is asked again later, without
   *     anybody
   * @param work returns once the task is done; calls {@link #check} as often as it can end
   */
  static <T extends SharedRecord<T>> RunningTask<T> start(
      String name, HeldTask<T> held, boolean isRetried, Consumer<RunningTask<T>> work) {
    RunningTask<T> task = new RunningTask<>(name, held, isRetried, work);
    task.thread.start();
    return task;
  }

  /** A failure for good, of a kind that a task before this one has recorded. */
  static final class Failed extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final Failure kind;

    Failed(Failure kind, String reason) {
      super(reason, null, false, false);
      this.kind = kind;
    }
  }

  HeldTask<T> held() {
    return held;
  }

  /**
   * Ends the work if this process is to leave the task, or has lost it.
   *
   * @throws HandedOver if it is to leave it
   * @throws TaskLost if it has lost it
   */
  void check() {
    if (isHandedOver) {
      throw new HandedOver();
    }
    held.require();
  }

  /** Waits inside the work, and ends it like {@link #check}. */
  void pause(Duration time) {
    check();
    Await.pause(time.toMillis());
    check();
  }

  /** Interrupts work that another attempt has replaced, by the task's record. */
  void endUnlessHeld(@Nullable TaskState now) {
    TaskState mine = held.record().state();
    if (now == null || !now.isHeldBy(mine.owner(), mine.attempt())) {
      isReplaced = true;
      thread.interrupt();
    }
  }

  /** Asks the work to end; another host takes the task. */
  void handOver() {
    isHandedOver = true;
  }

  /** Returns whether the work has ended, and its end is recorded as far as possible. */
  boolean hasEnded() {
    return ended.getCount() == 0;
  }

  /** Waits for the end of work that was handed over, and interrupts it halfway. */
  void awaitEnd(Duration grace) {
    try {
      long halfMillis = grace.toMillis() / 2;
      if (!ended.await(halfMillis, TimeUnit.MILLISECONDS)) {
        thread.interrupt();
        if (!ended.await(halfMillis, TimeUnit.MILLISECONDS)) {
          LOG.warn("{} does not end; its lease runs out", name);
        }
      }
    } catch (InterruptedException e) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      work.accept(this);
      end(TaskState::done);
    } catch (HandedOver e) {
      end(TaskState::handedOver);
    } catch (TaskLost e) {
      LOG.info("{} is another host's by now", name);
    } catch (RuntimeException e) {
      end(ending(e));
    } catch (Error e) {
      end(state -> state.failedForGood(Failure.of(e), e.toString()));
      throw e;
    } finally {
      ended.countDown();
    }
  }

  private UnaryOperator<TaskState> ending(RuntimeException failure) {
    if (isHandedOver || isReplaced) {
      return TaskState::handedOver;
    }
    String reason =
        failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
    if (isRetried
        && (failure instanceof KvException.Transient
            || failure instanceof KvException.UnknownOutcome)) {
      LOG.warn("{} has failed, and is retried: {}", name, reason);
      return state -> state.failed(reason);
    }
    LOG.error("{} has failed, until it is asked for again", name, failure);
    Failure kind = failure instanceof Failed failed ? failed.kind : Failure.of(failure);
    return state -> state.failedForGood(kind, reason);
  }

  /** Records the end. If that fails, the lease runs out, and another host takes the task. */
  private void end(UnaryOperator<TaskState> ending) {
    boolean wasInterrupted = Thread.interrupted();
    try {
      held.end(ending);
    } catch (TaskLost e) {
      LOG.info("{} is another host's by now", name);
    } catch (RuntimeException e) {
      LOG.warn("the end of {} was not recorded; its lease runs out", name, e);
    }
    if (wasInterrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
