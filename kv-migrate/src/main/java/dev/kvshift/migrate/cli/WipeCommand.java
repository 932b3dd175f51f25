package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.HostedMigrations;
import dev.kvshift.migrate.api.QuietPeriod;
import dev.kvshift.migrate.api.RetireReport;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
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
  private static final String WOULD_DELETE = "would delete ";
  private static final String DELETED = "deleted ";

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
          try (MigrationFile.Opened opened = config.openAny()) {
            List<String> lines =
                opened.isLed()
                    ? led(opened)
                    : inClockOrder(new ClockWork(opened, spec), name, isDryRun);
            lines.forEach(out::println);
            out.flush();
            return ExitCode.OK;
          }
        });
  }

  private List<String> led(MigrationFile.Opened opened) {
    HostedMigrations migrations = new HostedMigrations(opened.plan());
    return isDryRun ? preview(migrations, name) : delete(migrations, name);
  }

  /** Deletes, or only shows, where the source has no leader. Returns a line for each thing. */
  List<String> inClockOrder(ClockWork work, String collection, boolean isShownOnly) {
    throw ClockWork.refusal(work.opened());
  }

  /** Resets where the source has no leader. */
  private static List<String> reset(
      ClockWork work, String collection, boolean isShownOnly, boolean isAbort) {
    return isShownOnly
        ? lines(WOULD_DELETE, work.previewReset(collection))
        : lines(DELETED, work.reset(collection, isAbort));
  }

  /** Returns a line for each thing that would be deleted. */
  abstract List<String> preview(HostedMigrations migrations, String collection);

  /** Deletes, and returns a line for each thing. */
  abstract List<String> delete(HostedMigrations migrations, String collection);

  private static List<String> lines(String begin, List<String> things) {
    return things.stream().map(thing -> begin + thing).toList();
  }

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
      return lines(WOULD_DELETE, migrations.previewReset(collection));
    }

    @Override
    List<String> delete(HostedMigrations migrations, String collection) {
      return lines(DELETED, migrations.reset(collection));
    }

    @Override
    List<String> inClockOrder(ClockWork work, String collection, boolean isShownOnly) {
      return WipeCommand.reset(work, collection, isShownOnly, false);
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
      return lines(WOULD_DELETE, migrations.previewReset(collection));
    }

    @Override
    List<String> delete(HostedMigrations migrations, String collection) {
      return lines(DELETED, migrations.abort(collection));
    }

    @Override
    List<String> inClockOrder(ClockWork work, String collection, boolean isShownOnly) {
      return WipeCommand.reset(work, collection, isShownOnly, true);
    }
  }

  /** Deletes what a migration has left. */
  @Command(
      name = "retire",
      description = {
        "Deletes what the migration of a moved collection has left: topics, dead letters, its consumer"
            + " at the old store, and the records of its progress; and restores the settings by"
            + " which the new store kept its deletes, or prints the statements for that. Keeps the"
            + " certificate and the event log. Touches no row of either store.",
        "%nRefused if the collection has moved within the quiet period, or somebody has read, written"
            + " or locked it at the old store since then, refused requests included. It names them;"
            + " 'kv legacy statistics' shows more."
      },
      mixinStandardHelpOptions = true)
  static final class Retire extends WipeCommand {
    @Option(
        names = "--quiet-days",
        paramLabel = "D",
        defaultValue = "14",
        description = "The quiet period in days, 0 to 3650 (default: 14).")
    private int quietDays;

    @Option(
        names = "--locks",
        paramLabel = "SPACE",
        description =
            "A lock space whose locks guard the collection: taking one at the old store counts as"
                + " using it. May be given several times.")
    private List<String> lockSpaces = List.of();

    @Override
    List<String> preview(HostedMigrations migrations, String collection) {
      return lines("would ", "delete ", migrations.previewRetire(collection, quiet()));
    }

    @Override
    List<String> delete(HostedMigrations migrations, String collection) {
      return lines("", "deleted ", migrations.retire(collection, quiet()));
    }

    private static List<String> lines(String begin, String deleted, RetireReport report) {
      List<String> lines = new ArrayList<>(WipeCommand.lines(begin + deleted, report.deleted()));
      lines.addAll(WipeCommand.lines(begin + "run on the new store: ", report.restored()));
      lines.addAll(WipeCommand.lines("left to you: ", report.left()));
      return lines;
    }

    private QuietPeriod quiet() {
      if (quietDays < 0 || quietDays > 3_650) {
        throw new IllegalArgumentException("--quiet-days " + quietDays + ": give 0 to 3650");
      }
      return new QuietPeriod(Duration.ofDays(quietDays), lockSpaces);
    }
  }
}
