package dev.kvshift.migrate.internal.context;

import org.jspecify.annotations.Nullable;

/**
 * A task on a thread of its own that goes on until it is told to stop or fails. Its failure is kept
 * for whoever depends on it. Safe for use by many threads.
 */
public abstract class BackgroundTask {
  private static final long JOIN_MILLIS = 10_000;

  private final Thread thread;
  private volatile boolean stopping;
  private volatile @Nullable RuntimeException failure;

  public BackgroundTask(String name) {
    thread = new Thread(this::execute, name);
    thread.setDaemon(true);
  }

  public final void start() {
    thread.start();
  }

  /** Goes on until {@link #isStopping()}. */
  public abstract void loop();

  public final boolean isStopping() {
    return stopping;
  }

  /** Throws what made the task fail, if it did. */
  public final void check() {
    RuntimeException found = failure;
    if (found != null) {
      throw found;
    }
  }

  /** Ends the task and waits for it; interrupts it where it takes long. */
  public final void stop() {
    stopping = true;
    wake();
    join(JOIN_MILLIS);
    if (thread.isAlive()) {
      thread.interrupt();
      join(JOIN_MILLIS);
    }
  }

  /** Called on the stopping thread, to end a wait. */
  public void wake() {}

  private void join(long millis) {
    try {
      thread.join(millis);
    } catch (InterruptedException e) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }

  private void execute() {
    try {
      loop();
    } catch (RuntimeException e) {
      if (!stopping) {
        failure = Await.failure(e);
      }
    } catch (Error e) {
      failure = new IllegalStateException(thread.getName() + " died: " + e, e);
      throw e;
    }
  }
}
