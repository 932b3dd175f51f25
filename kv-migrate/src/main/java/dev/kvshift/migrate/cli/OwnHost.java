package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.HostedMigrations;
import dev.kvshift.migrate.MigrationHost;
import dev.kvshift.migrate.api.HostPlan;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/** A host in the process of a command that waits for hours, since no other runs. */
final class OwnHost implements AutoCloseable {
  private final MigrationFile.Opened opened;
  private final CommandSpec command;
  private final Thread thread;
  private volatile @Nullable RuntimeException failure;

  OwnHost(MigrationFile.Opened opened, CommandSpec command) {
    this.opened = opened;
    this.command = command;
    thread = new Thread(() -> run(opened.plan(), command.commandLine().getErr()), "kvshift-host");
    thread.start();
  }

  /** Returns what the host is asked for. */
  HostedWork work() {
    return new HostedWork(new HostedMigrations(opened.plan()), this, command);
  }

  /** Returns whether it does nothing any more. */
  boolean hasEnded() {
    return !thread.isAlive();
  }

  /** Returns the exit code of a command whose host has ended. */
  int exitCode() {
    RuntimeException found = failure;
    return found == null ? ExitCode.INTERRUPTED : ExitCode.of(found);
  }

  private void run(HostPlan plan, PrintWriter err) {
    try (MigrationHost host = MigrationHost.join(plan, new ProgressLines(err))) {
      host.run();
      Thread.interrupted();
    } catch (RuntimeException e) {
      failure = e;
      err.println("migrate: the host of this command has ended: " + e.getMessage());
      err.flush();
    }
  }

  /** Leaves its tasks to other hosts, and waits for that. */
  @Override
  public void close() {
    boolean wasInterrupted = Thread.interrupted();
    thread.interrupt();
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        wasInterrupted = true;
      }
    }
    if (wasInterrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
