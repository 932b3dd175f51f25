package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.HostedMigrations;
import dev.kvshift.migrate.api.CutoverTime;
import dev.kvshift.migrate.api.Failure;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.RunEnd;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.migrate.internal.ledger.TaskRecord;
import dev.kvshift.spi.Phase;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Asks hosts for a task, waits until they have done it, and prints its result.
 *
 * @param own the only host, which is in this process and stays until the task is done; null if
 *     hosts of their own do it
 */
record HostedWork(
    HostedMigrations migrations, @Nullable OwnHost own, PrintWriter out, PrintWriter err) {
  private static final Duration LOOK = Duration.ofMillis(250);

  /** Returns the hosts' work; null if no host runs. */
  static @Nullable HostedWork of(MigrationFile.Opened opened, CommandSpec command) {
    HostedMigrations migrations = new HostedMigrations(opened.plan());
    return migrations.hosts().isEmpty() ? null : new HostedWork(migrations, null, command);
  }

  /** Returns what hosts shall do, whether or not one runs. */
  static HostedWork later(MigrationFile.Opened opened, CommandSpec command) {
    return new HostedWork(new HostedMigrations(opened.plan()), null, command);
  }

  /** Creates the work of a host in this process, or of others. */
  HostedWork(HostedMigrations migrations, @Nullable OwnHost own, CommandSpec command) {
    this(migrations, own, command.commandLine().getOut(), command.commandLine().getErr());
  }

  /** Asks, and waits; returns the worst exit code of the collections. */
  int run(List<String> names, TaskKind kind) {
    names.forEach(name -> migrations.ask(name, kind));
    int worst = ExitCode.OK;
    for (String name : names) {
      worst = Math.max(worst, await(name, kind, true));
    }
    return worst;
  }

  /**
   * Asks for everything that is not done yet; of what has moved, for the end of its cutover.
   *
   * @return what to wait for, for each collection
   */
  Map<String, TaskKind> askRuns(List<String> names, Way way, RunEnd end, Set<String> givenUp) {
    Map<String, TaskKind> asked = new LinkedHashMap<>();
    for (String name : names) {
      if (hasMoved(name)) {
        migrations.cutover(name, givenUp);
        asked.put(name, TaskKind.CUTOVER);
      } else {
        migrations.run(name, way, end, givenUp);
        asked.put(name, TaskKind.RUN);
      }
    }
    return asked;
  }

  /** Waits for what was asked for; returns the worst exit code of the collections. */
  int await(Map<String, TaskKind> asked) {
    int worst = ExitCode.OK;
    try {
      for (Map.Entry<String, TaskKind> each : asked.entrySet()) {
        worst = Math.max(worst, await(each.getKey(), each.getValue(), false));
      }
    } catch (KvException e) {
      if (!Thread.currentThread().isInterrupted()) {
        throw e;
      }
      worst = ExitCode.INTERRUPTED;
    }
    if (Thread.currentThread().isInterrupted()) {
      say(err, "what was asked for is recorded, and hosts go on");
    }
    return worst;
  }

  /** Asks for steps to a phase before new-only, and waits for them. */
  int step(String name, Phase target) {
    Phase now = migrations.status(name).migration().source().phase();
    migrations.step(name, target);
    return await(name, TaskKind.STEP, target.compareTo(now) > 0);
  }

  /** Asks for a cutover, and waits for it. */
  int cutOver(String name, Set<String> givenUp) {
    return cutOver(List.of(name), givenUp, CutoverTime.NOW);
  }

  /** Asks for a cutover of collections that move together, and waits for it. */
  int cutOver(List<String> together, Set<String> givenUp, CutoverTime time) {
    migrations.cutover(together, givenUp, time);
    return awaitCutover(together);
  }

  /**
   * Waits for a cutover that was asked for; for one that waits, until it is ready, if hosts of
   * their own go on.
   */
  int awaitCutover(List<String> together) {
    int code = await(together.get(0), TaskKind.CUTOVER, true);
    if (code == ExitCode.OK) {
      together.subList(1, together.size()).forEach(name -> say(out, name + " " + cutover(name)));
    }
    return code;
  }

  /** Returns whether a collection has moved, since it may only be ready. */
  boolean hasMoved(String name) {
    return hasMoved(migrations.status(name));
  }

  private String cutover(String name) {
    return "cutover: "
        + migrations
            .status(name)
            .task(TaskKind.CUTOVER)
            .map(HostStatus.Task::note)
            .orElse("its record was removed meanwhile, see 'status'");
  }

  private int await(String name, TaskKind kind, boolean needsLead) {
    boolean isStep = kind == TaskKind.STEP || kind == TaskKind.CUTOVER || kind == TaskKind.RUN;
    Map<String, String> shown = new HashMap<>();
    boolean hadHosts = true;
    while (true) {
      HostStatus.Collection collection = migrations.status(name);
      HostStatus.Task task = collection.task(kind).orElse(null);
      if (task == null) {
        say(
            err,
            "migrate: "
                + kind.word()
                + " of collection "
                + name
                + " is no longer asked for: 'reset', 'abort' or 'retire' has removed its record; see"
                + " 'status', and give the command again if it still counts");
        return ExitCode.LEFT;
      }
      HostStatus.Task lead = collection.task(TaskKind.LEAD).orElse(task);
      for (HostStatus.Task each : shown(collection, task)) {
        String line = HostText.progress(name, each);
        if (!line.equals(shown.put(each.name(), line))) {
          say(err, line);
        }
      }
      boolean streams = kind == TaskKind.LEAD && task.status().equals("running");
      boolean waits = kind == TaskKind.CUTOVER && task.note().startsWith(TaskRecord.READY);
      if (task.hasEnded()
          || (waits && own == null)
          || streams
          || (hasMoved(collection) && !isStep)) {
        return conclude(collection, task, kind);
      }
      if (needsLead && lead.hasFailed()) {
        return conclude(collection, lead, kind);
      }
      if (collection.isPaused()) {
        say(err, "collection " + name + " is paused: 'resume " + name + "' lets hosts go on");
        return ExitCode.LEFT;
      }
      if (own != null && own.hasEnded()) {
        say(
            err,
            "migrate: nobody does the "
                + kind.word()
                + " of collection "
                + name
                + " any more, since the host of this command has ended; what was asked for is"
                + " recorded: give the command again, or start a host");
        return own.exitCode();
      }
      // One's own host outlives a broker that does not answer, and so must the command.
      boolean hasHosts = own != null || !migrations.hosts().isEmpty();
      if (hadHosts && !hasHosts) {
        say(
            err,
            "no host runs any more, so nothing happens until one does; what was asked for is"
                + " recorded");
      }
      hadHosts = hasHosts;
      if (!pause(LOOK)) {
        return ExitCode.INTERRUPTED;
      }
    }
  }

  /** Returns the task that somebody waits for; of a run also what it waits for itself. */
  private static List<HostStatus.Task> shown(
      HostStatus.Collection collection, HostStatus.Task task) {
    if (!task.name().equals(TaskKind.RUN.word())) {
      return List.of(task);
    }
    return Stream.concat(
            Stream.of(task),
            Stream.of(TaskKind.STEP, TaskKind.COPY, TaskKind.VERIFY, TaskKind.CUTOVER)
                .flatMap(kind -> collection.task(kind).stream())
                .filter(each -> !each.hasEnded()))
        .toList();
  }

  private static boolean hasMoved(HostStatus.Collection collection) {
    return collection.migration().source().floor().isPresent();
  }

  private int conclude(HostStatus.Collection collection, HostStatus.Task task, TaskKind kind) {
    String name = collection.migration().collection();
    if (kind == TaskKind.RUN) {
      printStages(collection, task);
    }
    if (task.hasFailed()) {
      say(
          err,
          "migrate: "
              + task.name()
              + " of collection "
              + name
              + " has failed: "
              + task.reason()
              + "; fix that, and give the command again");
      Failure failure = task.failure();
      return failure == null ? ExitCode.LEFT : ExitCode.of(failure);
    }
    if (task.note().startsWith(TaskRecord.WITHDRAWN)) {
      say(err, "migrate: " + task.name() + " of collection " + name + " was " + task.note());
      return ExitCode.LEFT;
    }
    VerifyReport report = collection.migration().verify();
    if (kind == TaskKind.COPY) {
      printCopy(collection);
      return copied(collection);
    }
    if (kind == TaskKind.VERIFY && report != null && task.hasEnded()) {
      printVerify(name, report);
      return report.differences() == 0 ? ExitCode.OK : ExitCode.MISMATCH;
    }
    say(out, name + " " + result(collection, task, kind));
    return kind == TaskKind.RUN ? copied(collection) : ExitCode.OK;
  }

  private static int copied(HostStatus.Collection collection) {
    return collection.migration().copy().counts().rejected() == 0 ? ExitCode.OK : ExitCode.REJECTS;
  }

  /** Prints what the stages of a run have found, as far as it has come. */
  private void printStages(HostStatus.Collection collection, HostStatus.Task run) {
    if (collection.task(TaskKind.COPY).filter(copy -> copy.status().equals("done")).isPresent()) {
      printCopy(collection);
    }
    VerifyReport report = collection.migration().verify();
    if (report != null && (run.failure() == null || run.failure() == Failure.MISMATCH)) {
      printVerify(collection.migration().collection(), report);
    }
  }

  private void printCopy(HostStatus.Collection collection) {
    out.print(collection.migration().collection() + " ");
    MigrationStatus.Copy copy = collection.migration().copy();
    ResultText.printCopy(out, copy.counts(), copy.snapshot());
  }

  private void printVerify(String name, VerifyReport report) {
    out.print(name + " ");
    ResultText.printVerify(out, report);
  }

  private static String result(
      HostStatus.Collection collection, HostStatus.Task task, TaskKind kind) {
    if (kind == TaskKind.CUTOVER) {
      return "cutover: " + task.note();
    }
    HostStatus.Task cutover = collection.task(TaskKind.CUTOVER).orElse(task);
    if (kind == TaskKind.RUN && hasMoved(collection) && cutover.hasEnded()) {
      return "cutover: " + cutover.note();
    }
    if (hasMoved(collection)) {
      return "has moved";
    }
    return switch (kind) {
      case LEAD -> "streams";
      case STEP, RUN -> "is in phase " + collection.migration().source().phase().word();
      default -> "is prepared";
    };
  }

  /** Returns false if the thread was interrupted meanwhile. */
  static boolean pause(Duration time) {
    try {
      TimeUnit.MILLISECONDS.sleep(time.toMillis());
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static void say(PrintWriter writer, String line) {
    writer.println(line);
    writer.flush();
  }
}
