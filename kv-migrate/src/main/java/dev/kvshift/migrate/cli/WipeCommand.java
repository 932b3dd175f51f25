package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.HostedMigrations;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * The commands that delete something: each proves what it deletes by ids, shows it with {@code
 * --dry-run}, and lists it in the end.
 */
abstract class WipeCommand implements Callable<Integer> {
  @Spec CommandSpec spec = CommandSpec.create();
  @Mixin private ConfigOption config = new ConfigOption();

  @Parameters(paramLabel = "COLLECTION", description = "The collection.")
  private String name = "";

  @Option(names = "--dry-run", description = "Shows what would be deleted, and deletes nothing.")
  private boolean isDryRun;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    return Termination.run(
        spec.commandLine().getErr(),
        () -> {
          try (MigrationFile.Opened opened = config.open()) {
            HostedMigrations migrations = new HostedMigrations(opened.plan());
            List<String> things = isDryRun ? preview(migrations, name) : delete(migrations, name);
            things.forEach(thing -> out.println((isDryRun ? "would delete " : "deleted ") + thing));
            out.flush();
            return ExitCode.OK;
          }
        });
  }

  abstract List<String> preview(HostedMigrations migrations, String collection);

  abstract List<String> delete(HostedMigrations migrations, String collection);

  /** Wipes the copy, to begin again. */
  @Command(
      name = "reset",
      description = {
        "Wipes what was copied of a collection, so that it can be copied anew. Only in phase legacy:"
            + " take it back with 'rollback' first.",
        "%nThe old store is not touched. Then give 'copy' or 'run' again. The topic gets the"
            + " partitions, replicas and retention of the configuration then."
      },
      mixinStandardHelpOptions = true)
  static final class Reset extends WipeCommand {
    @Override
    List<String> preview(HostedMigrations migrations, String collection) {
      return migrations.previewReset(collection);
    }

    @Override
    List<String> delete(HostedMigrations migrations, String collection) {
      return migrations.reset(collection);
    }
  }

  /** Wipes the copy, and gives the migration up. */
  @Command(
      name = "abort",
      description = {
        "Gives the migration of a collection up: wipes what was copied, and lets the old store forget"
            + " it. Only in phase legacy: take it back with 'rollback' first.",
        "%nThe old store is not touched, and services go on there. A later 'prepare' begins again."
      },
      mixinStandardHelpOptions = true)
  static final class Abort extends WipeCommand {
    @Override
    List<String> preview(HostedMigrations migrations, String collection) {
      return migrations.previewReset(collection);
    }

    @Override
    List<String> delete(HostedMigrations migrations, String collection) {
      return migrations.abort(collection);
    }
  }

  /** Deletes what a migration has left. */
  @Command(
      name = "retire",
      description = {
        "Deletes what the migration of a moved collection has left: topics, dead letters, its consumer"
            + " at the old store, and the records of its progress. Keeps the certificate and the"
            + " event log. Touches no row of either store.",
        "%nRefused during the quiet period after the move, and while somebody asks the old store for"
            + " the collection. 'kv legacy statistics' shows who did in the last 90 days: look there"
            + " before you switch the old store off."
      },
      mixinStandardHelpOptions = true)
  static final class Retire extends WipeCommand {
    @Option(
        names = "--quiet-days",
        paramLabel = "D",
        defaultValue = "14",
        description = "Days since the move, 0 to 3650 (default: 14).")
    private int quietDays;

    @Override
    List<String> preview(HostedMigrations migrations, String collection) {
      return migrations.previewRetire(collection, quietPeriod());
    }

    @Override
    List<String> delete(HostedMigrations migrations, String collection) {
      return migrations.retire(collection, quietPeriod());
    }

    private Duration quietPeriod() {
      if (quietDays < 0 || quietDays > 3_650) {
        throw new IllegalArgumentException("--quiet-days " + quietDays + ": give 0 to 3650");
      }
      return Duration.ofDays(quietDays);
    }
  }
}
