package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.ClockMigration;
import dev.kvshift.migrate.HostedMigrations;
import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.api.CertificateReport;
import dev.kvshift.migrate.api.CopiedSnapshot;
import dev.kvshift.migrate.api.CopyReport;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.RunEnd;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.spi.Phase;
import dev.kvshift.transition.MergePass;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.logging.Level;
import java.util.logging.Logger;
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
    description = {
      "Moves collections from one store to another while services use them.",
      "%nOne configuration file names the stores, the broker and the collections: 'init' writes it,"
          + " and every command reads it. The steps of a collection: prepare, copy, verify,"
          + " cutover. Each is durable and can be repeated; 'run' does those that are not done yet."
          + " 'status' shows where they are.",
      "%nCommands work in their own process, or leave the work to hosts, if some run: see 'host"
          + " --help'. 'backfill', 'repair' and 'dead-letters' work in their own process even so: they"
          + " take the lead of the collection from the hosts, and give it back when they end."
    },
    subcommands = {
      InitCommand.class,
      CheckCommand.class,
      CheckStoreCommand.class,
      PlanCommand.class,
      BackFillCommand.class,
      ExplainCommand.class,
      DeadLettersCommand.class,
      HostCommand.class,
      CutoverCommand.class,
      MonitorCommand.class,
      WipeCommand.Reset.class,
      WipeCommand.Abort.class,
      WipeCommand.Retire.class,
      AdviseCommand.class,
      FleetCommand.class,
      MoveLocksCommand.class,
      DataCommands.Get.class,
      DataCommands.Put.class,
      DataCommands.Delete.class,
      DataCommands.ReadRange.class,
      DataCommands.Scan.class
    },
    subcommandsRepeatable = false,
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true)
final class MigrateCommand implements Runnable {
  static final String READY =
      "ready for the cutover: give --cutover, or the command cutover; it keeps a way back, until"
          + " 'finish'";

  static final String FINISHED = "the way back has ended: the new store serves alone";
  private static final String LOG_SETTING = "logback.configurationFile";

  /** gRPC warns of each unknown host with a stack trace; kept, or its level would be forgotten. */
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  @Spec private CommandSpec spec = CommandSpec.create();

  static int execute(String... args) {
    GRPC.setLevel(Level.OFF);
    if (System.getProperty(LOG_SETTING) == null) {
      System.setProperty(LOG_SETTING, "dev/kvshift/migrate/cli/logback.xml");
    }
    return commandLine().execute(args);
  }

  static CommandLine commandLine() {
    CommandLine line = new CommandLine(new MigrateCommand());
    // Keys and values may begin with @.
    line.setExpandAtFiles(false);
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
    throw new ParameterException(spec.commandLine(), "give a command, such as status");
  }

  @Command(
      description = {
        "Does everything that is not done yet, up to the point of no return; with --cutover also"
            + " the cutover.",
        "%nBefore the cutover, everything can be taken back: the old store has every write. Without"
            + " --cutover, a fenced cutover is left verified, a dual-write cutover in new-primary,"
            + " or in new-read if the old store has no leader."
            + " After it, 'rollback' brings back what the new store has, until 'finish', unless"
            + " --final was given.",
        "%nIf hosts run, this is a task of theirs: the command shows its progress and may be ended,"
            + " and another host goes on if theirs dies. It ends at the first failure, and with"
            + " 'rollback', 'step', 'cutover', 'reset' and 'abort'; 'pause' keeps it until 'resume'."
      })
  int run(
      @Mixin ConfigOption config,
      @Parameters(arity = "1..*", paramLabel = "COLLECTION", description = "Collections to move.")
          List<String> names,
      @Option(
              names = "--way",
              paramLabel = "WAY",
              defaultValue = "fence",
              converter = WayConverter.class,
              description =
                  "How services change to the new store: fence (in one step, with a pause of less"
                      + " than a second for writers) or dual-write (phase by phase, without a"
                      + " pause; services write to both stores for a while) (default: fence).")
          Way way,
      @Option(
              names = "--cutover",
              description =
                  "Hands the collections over, too. That keeps a way back, which needs deletes=kept"
                      + " in the new store's strings.")
          boolean isCutOver,
      @Option(names = "--final", description = "With --cutover: keeps no way back. For ever.")
          boolean isFinal,
      @Mixin GiveUpOption giveUp,
      @Option(
              names = "--json",
              paramLabel = "FILE",
              description = "Writes the result of a single collection to a file, as JSON.")
          @Nullable Path json,
      @Mixin WaitOption waiting) {
    if (isCutOver) {
      config.read().requireUngrouped(names);
    }
    return with(
        config,
        work -> {
          if (json != null || !giveUp.services().isEmpty()) {
            throw new KvException.Permanent(
                "the source has no leader, so there is no result for --json and nobody to give up:"
                    + " leave the options out");
          }
          return work.run(names, isCutOver, isFinal);
        },
        opened -> {
          HostedWork hosts = hosts(opened);
          note(opened, names);
          if (hosts != null || waiting.isOff) {
            RunEnd end = isFinal ? RunEnd.FINAL : RunEnd.WAY_BACK;
            if (isCutOver) {
              opened.of(names).forEach(plan -> decide(migration(plan), isFinal));
            }
            HostedWork work = hosts == null ? HostedWork.later(opened, spec) : hosts;
            Map<String, TaskKind> asked =
                work.askRuns(names, way, isCutOver ? end : RunEnd.READY, giveUp.services());
            if (waiting.isOff) {
              return recorded(hosts, config);
            }
            int code = work.await(asked);
            if (code != ExitCode.OK && code != ExitCode.REJECTS) {
              return code;
            }
          }
          return ofEach(
              opened,
              names,
              giveUp,
              migration -> {
                if (isCutOver && !isFinal) {
                  migration.requireWayBack();
                }
                boolean hasMoved = hosts == null ? migration.approach(way) : migration.hasMoved();
                if (!isCutOver && !hasMoved) {
                  out(READY);
                  return migration.status().copy().counts().rejected() == 0
                      ? ExitCode.OK
                      : ExitCode.REJECTS;
                }
                decide(migration, isFinal);
                MigrationResult result = migration.run(way);
                printResult(result);
                out(afterwards(opened.plan().collection(result.collection())));
                if (json != null) {
                  write(json, ResultJson.print(result));
                }
                return result.copy().counts().rejected() == 0 ? ExitCode.OK : ExitCode.REJECTS;
              });
        });
  }

  @Command(
      description =
          "Opens the new side of collections, creates their topics, and fixes where their streams"
              + " begin. Fixes layout, partitions, replicas and retention.")
  int prepare(
      @Mixin ConfigOption config, @Mixin Collections collections, @Mixin WaitOption waiting) {
    return ask(
        config,
        collections,
        waiting,
        TaskKind.PREPARE,
        migration -> {
          migration.prepare();
          return ExitCode.OK;
        });
  }

  @Command(
      description =
          "Streams and applies the changes of collections. Hosts do so until they have moved, and"
              + " the command ends once they stream; without a host, it streams one collection"
              + " until it is interrupted.")
  int stream(
      @Mixin ConfigOption config, @Mixin Collections collections, @Mixin WaitOption waiting) {
    return ask(
        config,
        collections,
        waiting,
        TaskKind.LEAD,
        migration -> {
          migration.follow();
          return ExitCode.INTERRUPTED;
        });
  }

  @Command(
      description =
          "Copies what is not copied yet, and applies what has changed meanwhile. Exits with 3 if"
              + " rows were rejected.")
  int copy(@Mixin ConfigOption config, @Mixin Collections collections, @Mixin WaitOption waiting) {
    return ask(
        config,
        collections,
        waiting,
        TaskKind.COPY,
        migration -> {
          CopyReport report = migration.copy();
          ResultText.printCopy(spec.commandLine().getOut(), report.counts(), report.snapshot());
          migration.catchUp();
          return report.counts().rejected() == 0 ? ExitCode.OK : ExitCode.REJECTS;
        });
  }

  @Command(
      description =
          "Compares both sides of collections, while they are streamed and applied. Exits with 5 if"
              + " they differ.")
  int verify(
      @Mixin ConfigOption config, @Mixin Collections collections, @Mixin WaitOption waiting) {
    return ask(
        config,
        collections,
        waiting,
        TaskKind.VERIFY,
        migration -> {
          migration.catchUp();
          VerifyReport report = migration.verify();
          ResultText.printVerify(spec.commandLine().getOut(), report);
          return report.differences() == 0 ? ExitCode.OK : ExitCode.MISMATCH;
        });
  }

  @Command(description = "Compares both sides and makes differing keys equal to the old side.")
  int repair(@Mixin ConfigOption config, @Mixin NamedCollections collections) {
    return work(
        config,
        collections,
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
        "Takes collections to a phase of the dual-write cutover, forward or back, one step at a"
            + " time. Streams and applies meanwhile.",
        "%nPhases: legacy, shadow-write, dual-write, shadow-read, new-read, new-primary, new-only."
            + " A step forward waits until every instance of a service can follow it, and until"
            + " what its phase relies on is true: the copy is done before dual-write; everything"
            + " is applied before new-read; before new-read, new-primary and new-only, a comparison"
            + " (the command verify) has found no difference, no key is quarantined, and every key"
            + " that changed since is checked. A step back has no conditions. There is none from"
            + " new-only, for ever: the command cutover keeps a way back, too."
      })
  int step(
      @Mixin ConfigOption config,
      @Parameters(
              index = "0",
              paramLabel = "PHASE",
              converter = PhaseConverter.class,
              description = "The phase to go to.")
          Phase phase,
      @Parameters(
              index = "1..*",
              arity = "1..*",
              paramLabel = "COLLECTION",
              description = "Collections to take there.")
          List<String> names) {
    if (phase == Phase.NEW_ONLY) {
      config.read().requireUngrouped(names);
    }
    return with(
        config,
        work -> work.step(names, phase),
        opened -> {
          HostedWork hosts = hosts(opened);
          if (hosts == null) {
            return each(
                opened,
                names,
                new GiveUpOption(),
                migration -> {
                  if (phase == Phase.NEW_ONLY) {
                    migration.moveForGood();
                  }
                  migration.step(phase);
                  return ExitCode.OK;
                });
          }
          for (MigrationPlan plan : opened.of(names)) {
            hosts.migrations().note(plan.collection(), words());
            if (phase == Phase.NEW_ONLY) {
              migration(plan).moveForGood();
            }
            int code = step(hosts, plan.collection(), phase);
            if (code != ExitCode.OK) {
              return code;
            }
          }
          return ExitCode.OK;
        });
  }

  /** Lets hosts take steps. New-only is entered by a cutover, from the phase before it. */
  private static int step(HostedWork hosts, String name, Phase target) {
    boolean isEnd = target == Phase.NEW_ONLY;
    Phase now = hosts.migrations().status(name).migration().source().phase();
    int code = ExitCode.OK;
    if (!isEnd || now.compareTo(Phase.NEW_PRIMARY) < 0) {
      code = hosts.step(name, isEnd ? Phase.NEW_PRIMARY : target);
    }
    return isEnd && code == ExitCode.OK ? hosts.cutOver(name, Set.of()) : code;
  }

  @Command(
      description = {
        "Takes collections of the dual-write cutover back to legacy, from every phase before"
            + " new-only.",
        "%nThe old store has everything that services were told, so nothing is copied and nothing"
            + " is lost. Needs neither the new store nor the broker, unless the old store has no"
            + " leader. Ends the run, step or cutover that hosts were asked for. A command that works"
            + " without hosts ends at its next step up; in legacy, end it yourself.",
        "%nA collection that a cutover has moved, without --final, and that is not finished, is"
            + " taken back from the new store as well: a pass over both stores brings the old one"
            + " what it has missed. That needs both stores, and every running service."
      })
  int rollback(@Mixin ConfigOption config, @Mixin NamedCollections collections) {
    MigrationFile file = config.read();
    for (String name : collections.names) {
      try (MigrationFile.Source source = file.openSource(name)) {
        if (!ClockMigration.isNeededBy(source.store())) {
          if (Migration.hasWayBack(source.store(), name, source.layout())) {
            int code = with(config, opened -> goBack(opened, name));
            if (code != ExitCode.OK) {
              return code;
            }
            continue;
          }
          Phase before =
              Migration.rollBack(
                  source.store(),
                  name,
                  source.layout(),
                  source.options().hook(),
                  new ProgressLines(spec.commandLine().getErr()));
          printBack(name, before);
          int code = endTasks(file, name, before);
          if (code != ExitCode.OK) {
            return code;
          }
          continue;
        }
      }
      int code =
          with(
              config,
              work -> work.rollBack(List.of(name), before -> printBack(name, before)),
              opened -> ExitCode.OK);
      if (code != ExitCode.OK) {
        return code;
      }
    }
    return ExitCode.OK;
  }

  /**
   * Ends what hosts were asked for, which the new store has recorded. The steps back alone end it,
   * too, so that only a collection that was in legacy needs the new store for that.
   */
  private int endTasks(MigrationFile file, String name, Phase before) {
    return Termination.run(
        errWriter(),
        () -> {
          try (MigrationFile.Opened opened = file.open()) {
            new HostedMigrations(opened.plan()).endAll(name, "rollback follows");
          } catch (KvException e) {
            errWriter()
                .println(
                    "what hosts were asked for, if anything, was "
                        + (before == Phase.LEGACY ? "not ended" : "ended by the phase alone")
                        + ", since the new store does not answer: "
                        + e.getMessage()
                        + (before == Phase.LEGACY ? ": give the command again" : ""));
            errWriter().flush();
            return before == Phase.LEGACY ? ExitCode.UNAVAILABLE : ExitCode.OK;
          }
          return ExitCode.OK;
        });
  }

  private int goBack(MigrationFile.Opened opened, String name) {
    return each(
        opened,
        List.of(name),
        new GiveUpOption(),
        migration -> {
          MergePass.Counts counts = migration.goBack();
          out(
              "collection "
                  + name
                  + " is back in phase legacy, after its move"
                  + (counts == null ? "" : ": " + counts)
                  + "; 'certificate --rollback "
                  + name
                  + "' prints the proof; 'reset' it before it is moved again");
          return ExitCode.OK;
        });
  }

  @Command(
      description =
          "Ends the way back of collections that a cutover has moved: the new store serves alone"
              + " from then on, for ever.")
  int finish(@Mixin ConfigOption config, @Mixin NamedCollections collections) {
    return with(
        config,
        work -> work.finish(collections.names),
        opened ->
            each(
                opened,
                collections.names,
                new GiveUpOption(),
                migration -> {
                  migration.endWayBack();
                  out(FINISHED);
                  return ExitCode.OK;
                }));
  }

  /** Records whether a way back is kept. */
  private static void decide(Migration migration, boolean isFinal) {
    if (isFinal) {
      migration.moveForGood();
    } else {
      migration.keepWayBack();
    }
  }

  /** Returns how to use the way back of a collection, or end it. */
  static String wayBack(String name) {
    return name + " keeps a way back: 'rollback " + name + "', or 'finish " + name + "' ends it";
  }

  /** Returns what is possible after a cutover. */
  static String afterwards(MigrationPlan plan) {
    String name = plan.collection();
    return Migration.hasWayBack(plan.source(), name, plan.layout())
        ? wayBack(name)
        : name + " has moved for good: there is no way back";
  }

  private void printBack(String name, Phase before) {
    out(
        before == Phase.LEGACY
            ? "collection " + name + " is in phase legacy"
            : "collection " + name + " is back in phase legacy, from " + before.word());
  }

  @Command(
      description =
          "Keeps hosts off collections. They are not streamed meanwhile, and the old store keeps"
              + " its changes for a limited time.")
  int pause(@Mixin ConfigOption config, @Mixin Collections collections) {
    return with(
        config,
        opened -> {
          HostedMigrations migrations = new HostedMigrations(opened.plan());
          for (String name : collections.of(opened)) {
            migrations.note(name, "pause");
            migrations.pause(name);
          }
          return ExitCode.OK;
        });
  }

  @Command(description = "Lets hosts work on paused collections again.")
  int resume(@Mixin ConfigOption config, @Mixin Collections collections) {
    return with(
        config,
        opened -> {
          HostedMigrations migrations = new HostedMigrations(opened.plan());
          for (String name : collections.of(opened)) {
            migrations.note(name, "resume");
            migrations.resume(name);
          }
          return ExitCode.OK;
        });
  }

  @Command(
      description =
          "Sets how fast each process may scan collections, also in copies and comparisons that"
              + " run: within seconds. It holds until it is set again; the configuration stays.")
  int set(
      @Mixin ConfigOption config,
      @Mixin NamedCollections collections,
      @Option(
              names = "--scan-rows-per-second",
              required = true,
              paramLabel = "N",
              description =
                  "100 to 10000000, or unlimited, or default for the value of the configuration.")
          String rate) {
    ScanRate scans = scans(rate);
    return with(
        config,
        work -> set(work.opened(), collections.names, scans),
        opened -> set(opened, collections.names, scans));
  }

  private int set(MigrationFile.Opened opened, List<String> names, @Nullable ScanRate scans) {
    HostedMigrations migrations = new HostedMigrations(opened.plan());
    for (String name : names) {
      migrations.note(name, words());
      migrations.set(name, scans);
    }
    return ExitCode.OK;
  }

  private static @Nullable ScanRate scans(String rate) {
    return switch (rate) {
      case "default" -> null;
      case "unlimited" -> ScanRate.unlimited();
      default -> ScanRate.rowsPerSecond(Integer.parseInt(rate));
    };
  }

  @Command(
      description =
          "Shows the hosts, and the state of collections and of their tasks. Changes nothing.")
  int status(
      @Mixin ConfigOption config,
      @Mixin Collections collections,
      @Option(names = "--json", description = "Prints JSON, for programs.") boolean json,
      @Option(
              names = "--watch",
              paramLabel = "S",
              defaultValue = "0",
              description = "Shows it again every S seconds, until interrupted (default: once).")
          int watchSeconds) {
    return with(
        config,
        work -> watch(watchSeconds, () -> work.status(collections.names, json)),
        opened ->
            watch(
                watchSeconds,
                () -> {
                  HostStatus status = status(opened, collections);
                  if (json) {
                    out(HostText.json(status));
                  } else {
                    HostText.lines(status).forEach(this::out);
                  }
                }));
  }

  private static int watch(int seconds, Runnable show) {
    while (true) {
      show.run();
      if (seconds <= 0 || !HostedWork.pause(Duration.ofSeconds(seconds))) {
        return seconds <= 0 ? ExitCode.OK : ExitCode.INTERRUPTED;
      }
    }
  }

  @Command(description = "Lists the collections, each with its phase and the states of its tasks.")
  int list(
      @Mixin ConfigOption config,
      @Mixin Collections collections,
      @Option(names = "--json", description = "Prints JSON, for programs.") boolean json) {
    return with(
        config,
        work -> {
          if (json) {
            work.status(collections.names, true);
          } else {
            work.list(collections.names);
          }
          return ExitCode.OK;
        },
        opened -> {
          HostStatus status = status(opened, collections);
          if (json) {
            out(HostText.json(status));
          } else {
            status.collections().forEach(collection -> out(HostText.line(collection)));
          }
          return ExitCode.OK;
        });
  }

  @Command(description = "Prints the certificate of a collection that has moved, as JSON.")
  int certificate(
      @Mixin ConfigOption config,
      @Option(
              names = "--rollback",
              description =
                  "Prints that of its last way back after a move: what the pass over both stores"
                      + " has compared and written, when and for whom.")
          boolean isBack,
      @Parameters(paramLabel = "COLLECTION", description = "The collection.") String name) {
    return with(
        config,
        work -> work.certificate(name, isBack),
        opened -> {
          try (Migration migration = migration(opened.plan().collection(name))) {
            out(isBack ? migration.rollbackCertificate() : migration.certificate());
            return ExitCode.OK;
          }
        });
  }

  @Command(
      name = "verify-certificate",
      description = "Checks a printed certificate, without the stores: hash and conditions.")
  int verifyCertificate(
      @Parameters(paramLabel = "FILE", description = "The certificate, as JSON.") Path file) {
    String json = read(file);
    if (ClockMigration.isCertificate(json)) {
      ClockWork.lines(ClockMigration.verifyCertificate(json)).forEach(this::out);
      return ExitCode.OK;
    }
    CertificateReport report = Migration.verifyCertificate(json);
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
    CopiedSnapshot snapshot = report.snapshot();
    if (snapshot != null) {
      out("copied from a snapshot at position " + snapshot.position() + ", " + snapshot.store());
    }
    CertificateReport.Back back = report.back();
    if (back != null) {
      out(
          "taken back after epoch "
              + back.epoch()
              + ", by "
              + back.by()
              + ", after a pass over both sides from "
              + back.began()
              + " to "
              + back.ended()
              + ": "
              + back.counts());
    }
    if (!report.losses().isEmpty()) {
      out(
          "accepted losses: "
              + report.losses().size()
              + " keys, whose newest row the new store did not have; their digests:");
      report.losses().forEach(digest -> out("  " + digest));
    }
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

  /** The option not to wait for hosts. */
  private static final class WaitOption {
    @Option(
        names = "--no-wait",
        description = "Records what is wanted for hosts, and does not wait until it is done.")
    private boolean isOff;
  }

  /** The collections of a command that changes nothing that people notice. */
  private static final class Collections {
    @Parameters(
        arity = "0..*",
        paramLabel = "COLLECTION",
        description = "Collections of the configuration (default: all of them).")
    private List<String> names = List.of();

    List<String> of(MigrationFile.Opened opened) {
      return opened.of(names).stream().map(MigrationPlan::collection).toList();
    }
  }

  /** The collections of a command that people have to name. */
  private static final class NamedCollections {
    @Parameters(
        arity = "1..*",
        paramLabel = "COLLECTION",
        description = "Collections of the configuration.")
    private List<String> names = List.of();
  }

  private static HostStatus status(MigrationFile.Opened opened, Collections collections) {
    HostedMigrations migrations = new HostedMigrations(opened.plan());
    return new HostStatus(
        migrations.hosts(), collections.of(opened).stream().map(migrations::status).toList());
  }

  /** Leaves a step to the hosts, or does it here if none runs. */
  private int ask(
      ConfigOption config,
      Collections collections,
      WaitOption waiting,
      TaskKind kind,
      ToIntFunction<Migration> alone) {
    return with(
        config,
        work -> work.ask(collections.names, kind),
        opened -> {
          List<String> names = collections.of(opened);
          HostedWork hosts = hosts(opened);
          if (waiting.isOff) {
            HostedMigrations wanted = new HostedMigrations(opened.plan());
            names.forEach(name -> wanted.ask(name, kind));
            return recorded(hosts, config);
          }
          return hosts == null
              ? each(opened, names, new GiveUpOption(), alone)
              : hosts.run(names, kind);
        });
  }

  /** Ends a command that does not wait for hosts. */
  private int recorded(@Nullable HostedWork hosts, ConfigOption config) {
    if (hosts == null) {
      errWriter()
          .println(
              "no host runs, so nothing happens yet: start one with 'host --config "
                  + config.file
                  + "'; what was asked for is recorded");
      errWriter().flush();
    }
    return ExitCode.OK;
  }

  private @Nullable HostedWork hosts(MigrationFile.Opened opened) {
    return HostedWork.of(opened, spec);
  }

  private int work(
      ConfigOption config, NamedCollections collections, ToIntFunction<Migration> command) {
    return with(config, opened -> each(opened, collections.names, new GiveUpOption(), command));
  }

  /** Does a command here, for one collection after the other; returns the worst exit code. */
  private int each(
      MigrationFile.Opened opened,
      List<String> names,
      GiveUpOption giveUp,
      ToIntFunction<Migration> command) {
    note(opened, names);
    return ofEach(opened, names, giveUp, command);
  }

  private void note(MigrationFile.Opened opened, List<String> names) {
    HostedMigrations migrations = new HostedMigrations(opened.plan());
    opened.of(names).forEach(plan -> migrations.note(plan.collection(), words()));
  }

  private int ofEach(
      MigrationFile.Opened opened,
      List<String> names,
      GiveUpOption giveUp,
      ToIntFunction<Migration> command) {
    int worst = ExitCode.OK;
    for (MigrationPlan plan : opened.of(names)) {
      try (Migration migration = migration(giveUp.of(plan))) {
        worst = Math.max(worst, command.applyAsInt(migration));
      }
    }
    return worst;
  }

  private Migration migration(MigrationPlan plan) {
    return Migration.of(plan, new ProgressLines(errWriter()));
  }

  private String words() {
    return words(spec);
  }

  /** Returns a command as it was given. */
  static String words(CommandSpec command) {
    return String.join(" ", command.root().commandLine().getParseResult().originalArgs());
  }

  /** Does a command that needs a leader. */
  private int with(ConfigOption config, ToIntFunction<MigrationFile.Opened> command) {
    return with(
        config,
        work -> {
          throw ClockWork.refusal(work.opened());
        },
        command);
  }

  /** Does a command, in clock order if the source has no leader. */
  private int with(
      ConfigOption config,
      ToIntFunction<ClockWork> inClockOrder,
      ToIntFunction<MigrationFile.Opened> led) {
    return Termination.run(
        errWriter(),
        () -> {
          try (MigrationFile.Opened opened = config.openAny()) {
            return opened.isLed()
                ? led.applyAsInt(opened)
                : inClockOrder.applyAsInt(new ClockWork(opened, spec));
          }
        });
  }

  private PrintWriter errWriter() {
    return spec.commandLine().getErr();
  }

  private void printResult(MigrationResult result) {
    CopyReport copied = result.copy();
    ResultText.printCopy(spec.commandLine().getOut(), copied.counts(), copied.snapshot());
    out(
        String.format(
            Locale.ROOT,
            "stream: %,d changes sent, %,d applied",
            result.changesStreamed(),
            result.changesApplied()));
    ResultText.printVerify(spec.commandLine().getOut(), result.verify());
    out(ResultText.cutover(result.cutover()));
    result
        .steps()
        .forEach(
            (step, took) ->
                out(String.format(Locale.ROOT, "%-8s %,9d ms", step.word(), took.toMillis())));
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
