package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.ClockMigration;
import dev.kvshift.migrate.HostedMigrations;
import dev.kvshift.migrate.api.ClockCertificateReport;
import dev.kvshift.migrate.api.KeyList;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.internal.ledger.Members;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import picocli.CommandLine.Model.CommandSpec;

/**
 * The commands for collections that leave a store without a leader. Each works in its own process,
 * for one collection after the other: there is no stream, no broker and no host.
 */
record ClockWork(MigrationFile.Opened opened, CommandSpec command) {
  /** Returns the refusal of a command that needs a leader. */
  static KvException.Permanent refusal(MigrationFile.Opened opened) {
    return new KvException.Permanent(
        opened.plan().collections().get(0).source().description()
            + " has no leader, so its phases are ordered by clocks: there is no stream, no copy of its"
            + " own, no fence and no host. Give one of check, plan, prepare, step, backfill, verify,"
            + " run, cutover, rollback, finish, certificate, reset, abort, status, list, set and"
            + " fleet");
  }

  /** Does what hosts or the command do for a source with a leader, if there is such a thing. */
  int ask(List<String> names, TaskKind kind) {
    return switch (kind) {
      case PREPARE -> each(names, ClockMigration::prepare);
      case VERIFY ->
          each(names, migration -> say(migration.collection() + ": " + migration.verify()));
      default -> throw refusal(opened);
    };
  }

  /** Back-fills listed main keys. */
  int backFill(String name, KeyList list) {
    return ResultText.printBackFill(
        command.commandLine().getOut(), noted(opened.plan().collection(name)).backFill(list));
  }

  int step(List<String> names, Phase phase) {
    return each(names, migration -> migration.step(phase));
  }

  /**
   * Goes up to the last phase in which the old store has every write, or hands collections over.
   *
   * @param isFinal whether no way back is kept
   */
  int run(List<String> names, boolean isCutOver, boolean isFinal) {
    return each(
        names,
        migration -> {
          Phase phase = migration.status().gate().phase();
          if (isCutOver || phase.compareTo(Phase.NEW_PRIMARY) >= 0) {
            if (phase.compareTo(Phase.NEW_READ) < 0) {
              migration.step(Phase.NEW_READ);
            }
            handOver(migration, isCutOver && isFinal);
          } else {
            migration.step(Phase.NEW_READ);
            say(MigrateCommand.READY);
          }
        });
  }

  /**
   * Hands collections over.
   *
   * @param isFinal whether no way back is kept
   */
  int cutOver(List<String> names, boolean isFinal) {
    return each(names, migration -> handOver(migration, isFinal));
  }

  private void handOver(ClockMigration migration, boolean isFinal) {
    migration.cutover();
    if (isFinal || migration.status().gate().phase() == Phase.NEW_ONLY) {
      migration.finish(); // completes what an earlier command has begun
      say("collection " + migration.collection() + " has moved for good, without a pause");
    } else {
      say(MigrateCommand.wayBack(migration.collection()));
    }
  }

  int finish(List<String> names) {
    return each(
        names,
        migration -> {
          migration.finish();
          say(MigrateCommand.FINISHED);
        });
  }

  int rollBack(List<String> names, Consumer<Phase> back) {
    return each(names, migration -> back.accept(migration.rollBack()));
  }

  /**
   * Prints the certificate of a collection.
   *
   * @param isBack whether that of its way back
   */
  int certificate(String name, boolean isBack) {
    ClockMigration migration = migration(opened.plan().collection(name));
    say(isBack ? migration.rollbackCertificate() : migration.certificate());
    return ExitCode.OK;
  }

  /** Returns what a certificate says, for people. */
  static List<String> lines(ClockCertificateReport report) {
    return List.of(
        "valid: collection "
            + report.collection()
            + ", copy "
            + report.copy()
            + ", without a leader, ordered by clocks: "
            + (report.isOfMove() ? "the new store serves alone" : "taken back")
            + " after epoch "
            + report.epoch(),
        "from " + report.source(),
        "to " + report.target(),
        "a pass over both stores by "
            + report.by()
            + " from "
            + report.began()
            + " to "
            + report.ended()
            + ", which began once every process had entered the epoch, or its lease was over ("
            + report.instances()
            + " alive): "
            + report.counts());
  }

  /** Returns what a reset would delete. */
  List<String> previewReset(String name) {
    return migration(opened.plan().collection(name)).previewReset();
  }

  /** Wipes, and returns what was deleted. */
  List<String> reset(String name, boolean isAbort) {
    new HostedMigrations(opened.plan()).note(name, MigrateCommand.words(command));
    return migration(opened.plan().collection(name)).reset(isAbort);
  }

  private int each(List<String> names, Consumer<ClockMigration> work) {
    for (MigrationPlan plan : opened.of(names)) {
      work.accept(noted(plan));
    }
    return ExitCode.OK;
  }

  /** Returns a migration, once its stores can do it and the command was recorded. */
  private ClockMigration noted(MigrationPlan plan) {
    ClockMigration migration = migration(plan); // refuses stores that cannot do it
    new HostedMigrations(opened.plan()).note(plan.collection(), MigrateCommand.words(command));
    return migration;
  }

  private ClockMigration migration(MigrationPlan plan) {
    return ClockMigration.of(plan, new ProgressLines(command.commandLine().getErr()));
  }

  /** Prints the state of collections; changes nothing. */
  void status(List<String> names, boolean json) {
    List<Members> printed = new ArrayList<>();
    for (MigrationPlan plan : opened.of(names)) {
      ClockMigration.Status status = migration(plan).status();
      if (json) {
        printed.add(members(status));
      } else {
        lines(status).forEach(this::say);
      }
    }
    if (json) {
      say(new Members().withObjects("collections", printed).toString());
    }
  }

  /** Prints a line for each collection. */
  void list(List<String> names) {
    for (MigrationPlan plan : opened.of(names)) {
      Gate.State gate = migration(plan).status().gate();
      say(plan.collection() + ": phase " + gate.phase().word());
    }
  }

  private static List<String> lines(ClockMigration.Status status) {
    List<String> lines = new ArrayList<>();
    Gate.State gate = status.gate();
    lines.add(
        String.format(
            Locale.ROOT,
            "%s: phase %s, epoch %d, ordered by clocks",
            status.collection(),
            gate.phase().word(),
            gate.epoch()));
    lines.add(gate.copy() == null ? "not prepared" : "copy " + gate.copy());
    ClockMigration.Pass pass = status.pass();
    if (pass == null) {
      lines.add("pass: not yet");
    } else {
      lines.add(
          "pass: "
              + pass.counts()
              + ", in epoch "
              + pass.epoch()
              + (pass.ended() == null ? ", not at its end" : ", ended at " + pass.ended()));
    }
    if (status.backFill() != null) {
      lines.add(ResultText.backFill(status.backFill()));
    }
    if (gate.phase() == Phase.NEW_PRIMARY) {
      lines.add("the new store serves alone; " + MigrateCommand.wayBack(status.collection()));
    }
    if (gate.phase() == Phase.NEW_ONLY) {
      lines.add(
          status.isActive()
              ? "moved, floor " + gate.floor()
              : "sealed, and the new store is not active yet: give the command finish");
    }
    status.events().forEach(event -> lines.add("event " + event));
    return lines;
  }

  private static Members members(ClockMigration.Status status) {
    Gate.State gate = status.gate();
    Members members =
        new Members()
            .with("collection", status.collection())
            .with("phase", gate.phase().word())
            .with("epoch", gate.epoch())
            .with("ordering", "clocks")
            .with("prepared", gate.copy() != null)
            .with("active", status.isActive())
            .withObjects("events", status.events().stream().map(Members::parse).toList());
    if (status.backFill() != null) {
      members.with("backfill", HostText.backFill(status.backFill()));
    }
    ClockMigration.Pass pass = status.pass();
    return pass == null
        ? members
        : members.with(
            "pass",
            new Members()
                .with("rows", pass.counts().rows())
                .with("toOld", pass.counts().toOld())
                .with("toNew", pass.counts().toNew())
                .with("epoch", pass.epoch())
                .with("ended", pass.ended() != null));
  }

  private void say(String line) {
    PrintWriter out = command.commandLine().getOut();
    out.println(line);
    out.flush();
  }
}
