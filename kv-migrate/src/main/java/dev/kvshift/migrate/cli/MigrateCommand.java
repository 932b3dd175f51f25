package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.api.CertificateReport;
import dev.kvshift.migrate.api.CopyReport;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.migrate.api.WritePause;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Moves a collection from one store to another. */
@Command(
    name = "migrate",
    description = "Moves a collection from one store to another while services use it.",
    subcommands = {
      AdviseCommand.class,
      FleetCommand.class,
      HostCommand.class,
      MoveLocksCommand.class
    },
    subcommandsRepeatable = false,
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true)
final class MigrateCommand implements Runnable {
  private static final String LOG_SETTING = "logback.configurationFile";

  @Spec private CommandSpec spec = CommandSpec.create();

  static int execute(String... args) {
    if (System.getProperty(LOG_SETTING) == null) {
      System.setProperty(LOG_SETTING, "dev/kvshift/migrate/cli/logback.xml");
    }
    return commandLine().execute(args);
  }

  static CommandLine commandLine() {
    CommandLine line = new CommandLine(new MigrateCommand());
    line.setExecutionExceptionHandler(
        (failure, command, parsed) -> {
          PrintWriter err = command.getErr();
          err.println("migrate: " + message(failure));
          if (failure instanceof MigrationException.Mismatch mismatch) {
            ResultText.printKeys(err, mismatch.report());
          }
          int code = ExitCode.of(failure);
          if (code == ExitCode.INTERNAL) {
            failure.printStackTrace(err);
          }
          err.flush();
          return Thread.interrupted() ? ExitCode.INTERRUPTED : code;
        });
    return line;
  }

  private static String message(Exception failure) {
    String message = failure.getMessage();
    return message == null ? failure.getClass().getSimpleName() : message;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "give a command, such as run");
  }

  @Command(
      description =
          "Does everything that is not done yet: prepare, stream, copy, apply, verify, cutover.")
  int run(
      @Mixin PlanOptions options,
      @Option(
              names = "--way",
              paramLabel = "WAY",
              defaultValue = "fence",
              converter = WayConverter.class,
              description =
                  "How services change to the new store: fence (in one step, with a pause of less"
                      + " than a second for writers) or dual-write (phase by phase, without a pause;"
                      + " services write to both stores for a while) (default: fence).")
          Way way,
      @Option(
              names = "--json",
              paramLabel = "FILE",
              description = "Writes the result to a file, as JSON.")
          @Nullable Path json) {
    return with(
        options,
        migration -> {
          MigrationResult result = migration.run(way);
          printResult(result);
          if (json != null) {
            write(json, ResultJson.print(result));
          }
          return result.copy().counts().rejected() == 0 ? ExitCode.OK : ExitCode.REJECTS;
        });
  }

  @Command(description = "Opens the new side and creates the topic.")
  int prepare(@Mixin PlanOptions options) {
    return with(
        options,
        migration -> {
          migration.prepare();
          return ExitCode.OK;
        });
  }

  @Command(description = "Streams and applies changes until interrupted.")
  int stream(@Mixin PlanOptions options) {
    return with(
        options,
        migration -> {
          migration.follow();
          return ExitCode.INTERRUPTED;
        });
  }

  @Command(description = "Copies what is not copied yet, while streaming and applying.")
  int copy(@Mixin PlanOptions options) {
    return with(
        options,
        migration -> {
          CopyReport report = migration.copy();
          ResultText.printCopy(spec.commandLine().getOut(), report.counts());
          return report.counts().rejected() == 0 ? ExitCode.OK : ExitCode.REJECTS;
        });
  }

  @Command(description = "Compares both sides, while streaming and applying.")
  int verify(@Mixin PlanOptions options) {
    return with(
        options,
        migration -> {
          migration.catchUp();
          VerifyReport report = migration.verify();
          ResultText.printVerify(spec.commandLine().getOut(), report);
          return report.differences() == 0 ? ExitCode.OK : ExitCode.MISMATCH;
        });
  }

  @Command(description = "Compares both sides and makes differing keys equal to the old side.")
  int repair(@Mixin PlanOptions options) {
    return with(
        options,
        migration -> {
          migration.catchUp();
          RepairReport repaired = migration.repair();
          out(
              String.format(
                  Locale.ROOT,
                  "repaired %,d keys, %,d of them under a new version; left %,d",
                  repaired.repaired(),
                  repaired.reasserted(),
                  repaired.left()));
          repaired.leftKeys().forEach(key -> out("  " + key));
          VerifyReport after = migration.verify();
          ResultText.printVerify(spec.commandLine().getOut(), after);
          return after.differences() == 0 ? ExitCode.OK : ExitCode.MISMATCH;
        });
  }

  @Command(
      description = {
        "Takes the collection to a phase of the dual-write cutover, forward or back, one step at a"
            + " time. Streams and applies meanwhile.",
        "%nPhases: legacy, shadow-write, dual-write, shadow-read, new-read, new-primary, new-only."
            + " A step forward waits until every instance of a service can follow it, and until"
            + " what its phase relies on is true: the copy is done before dual-write; everything"
            + " is applied before new-read; before new-read, new-primary and new-only, a comparison"
            + " (the command verify) has found no difference, no key is quarantined, and every key"
            + " that changed since is checked. A step back has no conditions. There is none from"
            + " new-only."
      })
  int step(
      @Mixin PlanOptions options,
      @Parameters(
              paramLabel = "PHASE",
              converter = PhaseConverter.class,
              description = "The phase to go to.")
          Phase phase) {
    return with(
        options,
        migration -> {
          migration.step(phase);
          return ExitCode.OK;
        });
  }

  @Command(
      description = {
        "Takes a collection of the dual-write cutover back to legacy, from every phase before"
            + " new-only.",
        "%nThe old store has everything that services were told, so nothing is copied and nothing is"
            + " lost. Needs neither the new store nor the broker. End a running step or run first,"
            + " which would go forward again."
      })
  int rollback(
      @Option(
              names = "--from",
              required = true,
              paramLabel = "STRING",
              description = "Connection string of the store that the collection was to leave.")
          String from,
      @Mixin CollectionOptions collection,
      @Mixin HookOption hook) {
    try (Store source = collection.open(from)) {
      Phase before =
          Migration.rollBack(
              source,
              collection.name,
              collection.layout(),
              hook.of(collection.name),
              new ProgressLines(spec.commandLine().getErr()));
      out(
          before == Phase.LEGACY
              ? "collection " + collection.name + " is in phase legacy"
              : "collection "
                  + collection.name
                  + " is back in phase legacy, from "
                  + before.word());
      return ExitCode.OK;
    }
  }

  @Command(
      description =
          "Hands the collection over: from legacy by a fence, with a short pause for writers; from"
              + " new-primary by a seal, without one.")
  int cutover(@Mixin PlanOptions options) {
    return with(
        options,
        migration -> {
          printCutover(migration.cutover());
          return ExitCode.OK;
        });
  }

  @Command(description = "Shows the state of the migration; changes nothing.")
  int status(@Mixin PlanOptions options) {
    return with(
        options,
        migration -> {
          StatusText.lines(migration.status()).forEach(this::out);
          return ExitCode.OK;
        });
  }

  @Command(description = "Prints the certificate of a collection that has moved, as JSON.")
  int certificate(@Mixin PlanOptions options) {
    return with(
        options,
        migration -> {
          out(migration.certificate());
          return ExitCode.OK;
        });
  }

  @Command(
      name = "verify-certificate",
      description = "Checks a printed certificate, without the stores: hash and conditions.")
  int verifyCertificate(
      @Parameters(paramLabel = "FILE", description = "The certificate, as JSON.") Path file) {
    CertificateReport report = Migration.verifyCertificate(read(file));
    out(
        "valid: collection "
            + report.collection()
            + ", copy "
            + report.copy()
            + ", moved by attempt "
            + report.attempt()
            + " at floor "
            + report.floor()
            + ", checked at "
            + report.at());
    return ExitCode.OK;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new KvException.Permanent(
          "the certificate cannot be read from " + file + ": " + e + ": give another file", e);
    }
  }

  private int with(PlanOptions options, ToIntFunction<Migration> command) {
    PrintWriter err = spec.commandLine().getErr();
    return Termination.run(
        err,
        () -> {
          try (PlanOptions.Opened opened = options.open();
              Migration migration = Migration.of(opened.plan(), new ProgressLines(err))) {
            return command.applyAsInt(migration);
          }
        });
  }

  private void printResult(MigrationResult result) {
    ResultText.printCopy(spec.commandLine().getOut(), result.copy().counts());
    out(
        String.format(
            Locale.ROOT,
            "stream: %,d changes sent, %,d applied",
            result.changesStreamed(),
            result.changesApplied()));
    ResultText.printVerify(spec.commandLine().getOut(), result.verify());
    printCutover(result.cutover());
    result
        .steps()
        .forEach(
            (step, took) ->
                out(String.format(Locale.ROOT, "%-8s %,9d ms", step.word(), took.toMillis())));
  }

  private void printCutover(CutoverReport report) {
    WritePause pause = report.pause();
    if (report.attempts() == 0) {
      out("cutover: moved already by attempt " + report.attempt());
      return;
    }
    if (pause.equals(WritePause.NONE)) {
      out("cutover: moved without a pause, by " + report.attempt());
      return;
    }
    out(
        String.format(
            Locale.ROOT,
            "cutover: moved after %d ms (fenced %d, drained %d, tail checked %d, moved %d),"
                + " active after %d more",
            pause.total().toMillis(),
            pause.fenced().toMillis(),
            pause.drained().toMillis(),
            pause.tailChecked().toMillis(),
            pause.moved().toMillis(),
            report.activated().toMillis()));
  }

  private void out(String line) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(line);
    out.flush();
  }

  static void write(Path file, String text) {
    try {
      Files.writeString(file, text + "\n");
    } catch (IOException e) {
      throw new KvException.Permanent(
          "the result cannot be written to " + file + ": " + e + ": choose another file", e);
    }
  }
}
