package dev.kvshift.migrate.internal.context;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A task on a thread of its own that runs until it is closed or fails. Its failure is kept for the
 * tasks that depend on it: see {@link #check()}. Safe for use by many threads.
 */
public abstract class BackgroundTask implements AutoCloseable {
  private static final long JOIN_MILLIS = 10_000;

  private final Thread thread;
  private final CountDownLatch closing = new CountDownLatch(1);
  private volatile @Nullable RuntimeException failure;

  /** Creates a task; {@link #start()} starts it. */
  protected BackgroundTask(String threadName) {
    thread = new Thread(this::execute, threadName);
    thread.setDaemon(true);
  }

  /** Starts the task. */
  public final void start() {
    thread.start();
  }

  /** Runs until {@link #isClosing()}. */
  protected abstract void run();

  /** Ends a wait inside {@link #run()}; called by the closing thread. */
  protected void wakeUp() {}

  /** Returns whether the task has to end. */
  protected final boolean isClosing() {
    return closing.getCount() == 0;
  }

  /** Waits inside {@link #run()}, at most until the task has to end. */
  protected final void pause(Duration time) {
    try {
      closing.await(time.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      throw Await.interrupted(e);
    }
  }

  /** Returns whether a failure has ended the task. */
  public final boolean hasFailed() {
    return failure != null;
  }

  /** Throws the failure that ended the task, if there is one. */
  public final void check() {
    RuntimeException found = failure;
    if (found != null) {
      throw found;
    }
  }

  /** Ends the task and waits for it, 20 s at most; interrupts it after 10 s. */
  @Override
  public final void close() {
    closing.countDown();
    wakeUp();
    join();
    if (thread.isAlive()) {
      thread.interrupt();
      join();
    }
  }

  private void join() {
    try {
      thread.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }

  private void execute() {
    try {
      run();
    } catch (RuntimeException e) {
      if (!isClosing()) {
        failure = Await.failure(e);
      }
    } catch (Error e) {
      failure = new IllegalStateException(thread.getName() + " died: " + e, e);
      throw e;
    }
  }
}
