package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.Preflight;
import dev.kvshift.migrate.api.Finding;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.ledger.Members;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Tries whether a migration can begin, or go on. */
@Command(
    name = "check",
    description = {
      "Checks both stores, the broker, clocks, permissions, layouts and services. Each finding names"
          + " what was seen, the risk, and what to do. Exits with 6 if one blocks the migration.",
      "%nChanges nothing, but for a small record of the new store, which is removed again."
    },
    mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ConfigOption config = new ConfigOption();

  @Parameters(
      arity = "0..*",
      paramLabel = "COLLECTION",
      description = "Collections of the configuration (default: all of them).")
  private List<String> names = List.of();

  @Option(names = "--json", description = "Prints JSON, for programs.")
  private boolean json;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    try (MigrationFile.Opened opened = config.openAny()) {
      List<Members> printed = new ArrayList<>();
      boolean isBlocked = false;
      for (MigrationPlan plan : opened.of(names)) {
        List<Finding> findings = Preflight.check(plan);
        isBlocked |= FindingText.isBlocked(findings);
        if (json) {
          printed.add(FindingText.members(plan.collection(), findings));
        } else {
          FindingText.lines(plan.collection(), findings).forEach(out::println);
        }
      }
      if (json) {
        out.println(new Members().withObjects("collections", printed));
      }
      out.flush();
      return isBlocked ? ExitCode.REFUSED : ExitCode.OK;
    }
  }
}
