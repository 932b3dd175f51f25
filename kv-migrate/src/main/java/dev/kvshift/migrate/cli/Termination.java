package dev.kvshift.migrate.cli;

import java.io.PrintWriter;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntSupplier;

/** Lets a command end in an orderly way when its process is asked to. */
final class Termination {
  private static final long CLOSE_SECONDS = 20;

  private Termination() {}

  /**
   * Runs a command. If the process is asked to end, the thread is interrupted, and the process ends
   * once the command has returned, after 20 s at most.
   */
  static int run(PrintWriter err, IntSupplier command) {
    Thread worker = Thread.currentThread();
    AtomicBoolean isTerminated = new AtomicBoolean();
    CountDownLatch closed = new CountDownLatch(1);
    Thread hook =
        new Thread(
            () -> {
              isTerminated.set(true);
              worker.interrupt();
              try {
                closed.await(CLOSE_SECONDS, TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      return command.getAsInt();
    } catch (RuntimeException e) {
      if (!isTerminated.get()) {
        throw e;
      }
      return ExitCode.INTERRUPTED;
    } finally {
      if (isTerminated.get()) {
        err.println("migrate: the run was terminated: start it again to resume");
        err.flush();
      }
      closed.countDown();
      remove(hook);
    }
  }

  /** Removes the hook, unless the process ends already: then it is the hook that waits. */
  private static void remove(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException expected) {
      // No logger here: one that is created before execute() ends would miss its settings.
    }
  }
}
