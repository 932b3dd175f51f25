package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.MigrationHost;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Runs a process that does what the other commands ask for. */
@Command(
    name = "host",
    description = {
      "Does what the commands prepare, stream, copy and verify ask for, for all collections of the"
          + " configuration, until it is asked to end.",
      "%nStart it on as many machines as you like, with the same configuration: all of them copy"
          + " parts of a collection, and one leads it, that is, streams and applies its changes."
          + " SIGTERM or Ctrl-C hands its tasks over to the other hosts within seconds; kill it, and"
          + " they take them after the lease. Without any host, each command does its own work."
    },
    mixinStandardHelpOptions = true)
final class HostCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ConfigOption config = new ConfigOption();

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    return Termination.run(
        err,
        () -> {
          try (MigrationFile.Opened opened = config.open();
              MigrationHost host = MigrationHost.join(opened.plan(), new ProgressLines(err))) {
            err.println("host runs");
            err.flush();
            host.run();
            Thread.interrupted();
          }
          return ExitCode.INTERRUPTED;
        });
  }
}
