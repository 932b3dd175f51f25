package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.HostedMigrations;
import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.api.RejectedKey;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows and retries quarantined keys. */
@Command(
    name = "dead-letters",
    description = {
      "Lists the keys whose newest row the new store can never hold, or tries them again.",
      "%nSuch a key keeps its collection from moving. Write a smaller value or delete the key at the"
          + " old store, or give the new store a greater limit; then retry."
    },
    mixinStandardHelpOptions = true)
final class DeadLettersCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "give a command: list or retry");
  }

  @Command(description = "Lists all quarantined keys of a collection, with the reason of each.")
  int list(
      @Mixin ConfigOption config,
      @Parameters(paramLabel = "COLLECTION", description = "The collection.") String name) {
    PrintWriter out = spec.commandLine().getOut();
    try (MigrationFile.Opened opened = config.open()) {
      new HostedMigrations(opened.plan())
          .quarantined(name, (RejectedKey rejected) -> out.println(rejected));
      out.flush();
      return ExitCode.OK;
    }
  }

  @Command(
      description =
          "Writes the newest row of each quarantined key again, and releases those that both sides"
              + " agree on. Exits with 3 if some stay.")
  int retry(
      @Mixin ConfigOption config,
      @Parameters(paramLabel = "COLLECTION", description = "The collection.") String name) {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    return Termination.run(
        err,
        () -> {
          try (MigrationFile.Opened opened = config.open();
              Migration migration =
                  Migration.of(opened.plan().collection(name), new ProgressLines(err))) {
            new HostedMigrations(opened.plan()).note(name, "dead-letters retry " + name);
            int left = migration.retryQuarantined();
            out.println(left == 0 ? "no key is quarantined" : left + " keys are quarantined");
            out.flush();
            return left == 0 ? ExitCode.OK : ExitCode.REJECTS;
          }
        });
  }
}
