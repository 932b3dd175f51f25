package dev.kvshift.legacy.wire;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Work that takes all there is to do at a time: runs once it is asked for, again where it was asked
 * for meanwhile, and never twice at once. Safe for use by many threads.
 */
public final class CoalescingTask {
  private final AtomicInteger asked = new AtomicInteger();
  private final Executor executor;
  private final Runnable work;

  /** Makes one whose work runs on the executor; where that refuses, it runs no more. */
  public CoalescingTask(Executor executor, Runnable work) {
    this.executor = executor;
    this.work = work;
  }

  /** Sees to it that the work runs after this. */
  public void ask() {
    if (asked.getAndIncrement() == 0) {
      executor.execute(this::run);
    }
  }

  /**
   * Asks for the work after the cause. Where {@code together}, the work waits for all that the
   * cause gives rise to, so that much of it goes into one frame.
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
