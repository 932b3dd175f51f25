package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.HostedMigrations;
import dev.kvshift.migrate.MigrationHost;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.spi.Phase;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Migrates many collections by processes that share the work. */
@Command(
    name = "host",
    description = {
      "Migrates the collections of a configuration file by any number of processes, called hosts, on"
          + " any number of machines.",
      "%nStart 'host run' on each machine. The other commands record what is wanted in the new"
          + " store's metadata, and the hosts do it: one of them leads a collection, that is, streams"
          + " and applies its changes; all of them copy parts of it. A host that dies is replaced"
          + " after the lease of its tasks. Commands wait and show the progress; if you end one, the"
          + " hosts go on.",
      "%nThe first steps: host prepare, host copy, host verify. Each does what it needs; repeat any of"
          + " them as you like. docs/migration.yaml explains the configuration."
    },
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true)
final class HostCommand implements Runnable {
  private static final long LOOK_SECONDS = 1;

  @Spec private CommandSpec spec = CommandSpec.create();

  /** The configuration, and which of its collections a command is about. */
  private static final class Selection {
    @Option(
        names = "--config",
        paramLabel = "FILE",
        defaultValue = "migration.yaml",
        description = "Configuration file (default: migration.yaml).")
    private Path config = Path.of("migration.yaml");

    @Parameters(
        arity = "0..*",
        paramLabel = "COLLECTION",
        description = "Collections of the configuration (default: all of them).")
    private List<String> names = List.of();

    List<String> of(HostedMigrations migrations) {
      return names.isEmpty() ? migrations.collections() : names;
    }
  }

  /** Whether a command waits for the hosts. */
  private static final class Waiting {
    @Option(
        names = "--no-wait",
        description = "Records what is wanted, and does not wait until it is done.")
    private boolean isOff;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "give a command, such as run");
  }

  @Command(
      description = {
        "Takes tasks of all collections until it is asked to end.",
        "%nStart it on as many machines as you like, with the same configuration. SIGTERM or Ctrl-C"
            + " hands its tasks over to the other hosts within seconds; kill it, and they take them"
            + " after the lease."
      })
  int run(
      @Option(
              names = "--config",
              paramLabel = "FILE",
              defaultValue = "migration.yaml",
              description = "Configuration file (default: migration.yaml).")
          Path config) {
    PrintWriter err = spec.commandLine().getErr();
    return Termination.run(
        err,
        () -> {
          try (MigrationFile.Opened opened = MigrationFile.read(config).open();
              MigrationHost host = MigrationHost.join(opened.plan(), new ProgressLines(err))) {
            err.println("host runs");
            err.flush();
            host.run();
            Thread.interrupted();
          }
          return ExitCode.INTERRUPTED;
        });
  }

  @Command(
      description =
          "Opens the new side of collections, creates their topics, and fixes where their streams"
              + " begin. Fixes layout, partitions, replicas and retention.")
  int prepare(@Mixin Selection selection, @Mixin Waiting waiting) {
    return ask(selection, waiting, TaskKind.PREPARE);
  }

  @Command(
      description =
          "Streams and applies the changes of collections from now on, until they have moved or are"
              + " paused. Waits until a host does.")
  int stream(@Mixin Selection selection, @Mixin Waiting waiting) {
    return ask(selection, waiting, TaskKind.LEAD);
  }

  @Command(
      description =
          "Copies what is not copied yet, and applies what has changed meanwhile. Streams from now"
              + " on. Exits with 3 if rows were rejected.")
  int copy(@Mixin Selection selection, @Mixin Waiting waiting) {
    return ask(selection, waiting, TaskKind.COPY);
  }

  @Command(
      description =
          "Compares both sides of collections, after a copy that was asked for has ended. Exits with"
              + " 5 if they differ.")
  int verify(@Mixin Selection selection, @Mixin Waiting waiting) {
    return ask(selection, waiting, TaskKind.VERIFY);
  }

  @Command(
      description =
          "Keeps hosts off collections, before a cutover, say. They are not streamed meanwhile, and"
              + " the old store keeps its changes for a limited time.")
  int pause(@Mixin Selection selection) {
    return with(
        selection,
        migrations -> {
          selection.of(migrations).forEach(migrations::pause);
          return ExitCode.OK;
        });
  }

  @Command(description = "Lets hosts work on paused collections again.")
  int resume(@Mixin Selection selection) {
    return with(
        selection,
        migrations -> {
          selection.of(migrations).forEach(migrations::resume);
          return ExitCode.OK;
        });
  }

  @Command(
      description =
          "Shows the hosts, and the state of collections and of their tasks. Changes nothing.")
  int status(
      @Mixin Selection selection,
      @Option(names = "--json", description = "Prints JSON, for programs.") boolean json,
      @Option(
              names = "--watch",
              paramLabel = "S",
              defaultValue = "0",
              description = "Shows it again every S seconds, until interrupted (default: once).")
          int watchSeconds) {
    return with(
        selection,
        migrations -> {
          while (true) {
            HostStatus status = status(selection, migrations);
            if (json) {
              out(HostText.json(status));
            } else {
              HostText.lines(status).forEach(this::out);
            }
            if (watchSeconds <= 0 || !pause(watchSeconds)) {
              return watchSeconds <= 0 ? ExitCode.OK : ExitCode.INTERRUPTED;
            }
          }
        });
  }

  @Command(description = "Lists the collections, each with its phase and the states of its tasks.")
  int list(
      @Mixin Selection selection,
      @Option(names = "--json", description = "Prints JSON, for programs.") boolean json) {
    return with(
        selection,
        migrations -> {
          HostStatus status = status(selection, migrations);
          if (json) {
            out(HostText.json(status));
          } else {
            status.collections().forEach(collection -> out(HostText.line(collection)));
          }
          return ExitCode.OK;
        });
  }

  private static HostStatus status(Selection selection, HostedMigrations migrations) {
    return new HostStatus(
        migrations.hosts(), selection.of(migrations).stream().map(migrations::status).toList());
  }

  private int ask(Selection selection, Waiting waiting, TaskKind kind) {
    return with(
        selection,
        migrations -> {
          List<String> names = selection.of(migrations);
          names.forEach(name -> migrations.ask(name, kind));
          if (waiting.isOff) {
            warnWithoutHosts(selection, migrations);
            return ExitCode.OK;
          }
          int worst = ExitCode.OK;
          for (String name : names) {
            worst = Math.max(worst, await(selection, migrations, name, kind));
          }
          return worst;
        });
  }

  /** Waits until a task has ended, shows its progress, and prints its result. */
  private int await(Selection selection, HostedMigrations migrations, String name, TaskKind kind) {
    String shown = "";
    boolean hadHosts = true;
    while (true) {
      HostStatus.Collection collection = migrations.status(name);
      HostStatus.Task task = collection.task(kind).orElseThrow();
      HostStatus.Task lead = collection.task(TaskKind.LEAD).orElse(task);
      String line = HostText.progress(name, task);
      if (!line.equals(shown)) {
        err(line);
        shown = line;
      }
      boolean streams = kind == TaskKind.LEAD && task.status().equals("running");
      if (task.hasEnded() || lead.hasFailed() || streams) {
        return conclude(collection, task.hasFailed() || !lead.hasFailed() ? task : lead, kind);
      }
      if (collection.isPaused()) {
        err("collection " + name + " is paused: 'host resume " + name + "' lets hosts go on");
        return ExitCode.TASK_FAILED;
      }
      if (hadHosts) {
        hadHosts = !warnWithoutHosts(selection, migrations);
      } else {
        hadHosts = !migrations.hosts().isEmpty();
      }
      if (!pause(LOOK_SECONDS)) {
        return ExitCode.INTERRUPTED;
      }
    }
  }

  private int conclude(HostStatus.Collection collection, HostStatus.Task task, TaskKind kind) {
    String name = collection.migration().collection();
    if (task.hasFailed()) {
      err(
          "migrate: "
              + task.name()
              + " of collection "
              + name
              + " has failed: "
              + task.reason()
              + "; fix that, and give the command again");
      return ExitCode.TASK_FAILED;
    }
    PrintWriter out = spec.commandLine().getOut();
    switch (kind) {
      case COPY -> {
        out.print(name + " ");
        ResultText.printCopy(out, collection.migration().copy().counts());
        return collection.migration().copy().counts().rejected() == 0
            ? ExitCode.OK
            : ExitCode.REJECTS;
      }
      case VERIFY -> {
        VerifyReport report = collection.migration().verify();
        if (report == null) {
          return ExitCode.TASK_FAILED;
        }
        out.print(name + " ");
        ResultText.printVerify(out, report);
        return report.differences() == 0 ? ExitCode.OK : ExitCode.MISMATCH;
      }
      default -> {
        boolean hasMoved = collection.migration().source().phase() == Phase.NEW_ONLY;
        out(
            name
                + " "
                + (hasMoved ? "has moved" : kind == TaskKind.LEAD ? "streams" : "is prepared"));
        return ExitCode.OK;
      }
    }
  }

  /** Says so if no host runs; returns whether that is so. */
  private boolean warnWithoutHosts(Selection selection, HostedMigrations migrations) {
    boolean isMissing = migrations.hosts().isEmpty();
    if (isMissing) {
      err(
          "no host runs, so nothing happens yet: start one with 'host run --config "
              + selection.config
              + "'; what was asked for is recorded");
    }
    return isMissing;
  }

  private int with(Selection selection, ToIntFunction<HostedMigrations> command) {
    try (MigrationFile.Opened opened = MigrationFile.read(selection.config).open()) {
      return command.applyAsInt(new HostedMigrations(opened.plan()));
    }
  }

  /** Returns false if the thread was interrupted meanwhile. */
  private static boolean pause(long seconds) {
    try {
      TimeUnit.SECONDS.sleep(seconds);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void out(String line) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(line);
    out.flush();
  }

  private void err(String line) {
    PrintWriter err = spec.commandLine().getErr();
    err.println(line);
    err.flush();
  }
}
