package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.MigrationHost;
import dev.kvshift.migrate.api.HostPlan;
import java.io.PrintWriter;
import picocli.CommandLine.Model.CommandSpec;

/** A host in the process of a command that waits for hours, since no other runs. */
final class OwnHost implements AutoCloseable {
  private final MigrationFile.Opened opened;
  private final CommandSpec command;
  private final Thread thread;

  OwnHost(MigrationFile.Opened opened, CommandSpec command) {
    this.opened = opened;
    this.command = command;
    thread = new Thread(() -> run(opened.plan(), command.commandLine().getErr()), "kvshift-host");
    thread.start();
  }

  /** Returns what the host is asked for. */
  HostedWork work() {
    return HostedWork.here(opened, command);
  }

  private static void run(HostPlan plan, PrintWriter err) {
    try (MigrationHost host = MigrationHost.join(plan, new ProgressLines(err))) {
      host.run();
      Thread.interrupted();
    } catch (KvException e) {
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
