package dev.kvshift.legacy.wire;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A task whose requests coalesce: it runs once it has been requested, again if it was requested
 * meanwhile, and never concurrently with itself. Each run handles everything there is to do, so
 * requests that come together share a run. Safe for use by many threads.
 */
public final class CoalescingTask {
  private final AtomicInteger asked = new AtomicInteger();
  private final Executor executor;
  private final Runnable work;

  /** Creates a task that runs on an executor. Once the executor refuses it, it never runs again. */
  public CoalescingTask(Executor executor, Runnable work) {
    this.executor = executor;
    this.work = work;
  }

  /** Requests a run that begins after this call. */
  public void ask() {
    if (asked.getAndIncrement() == 0) {
      executor.execute(this::run);
    }
  }

  /**
   * Runs a cause and requests a run.
   *
   * @param cause adds work
   * @param together whether the run waits until the cause has returned, so that everything it adds
   *     is handled at once, in one frame
   */
  public void askAfter(Runnable cause, boolean together) {
    boolean held = together && asked.getAndIncrement() == 0;
    try {
      cause.run();
    } finally {
      if (held) {
        executor.execute(this::run);
      } else {
        ask();
      }
    }
  }

  private void run() {
    int seen;
    do {
      seen = asked.get();
      work.run();
    } while (asked.addAndGet(-seen) != 0);
  }
}
