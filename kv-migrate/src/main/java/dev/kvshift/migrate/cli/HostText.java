package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.BackFillReport;
import dev.kvshift.migrate.api.CopiedSnapshot;
import dev.kvshift.migrate.api.Failure;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.Members;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The state of hosts and their tasks, as lines for people and as JSON for programs. */
final class HostText {
  private HostText() {}

  static List<String> lines(HostStatus status) {
    List<String> lines = new ArrayList<>();
    if (status.hosts().isEmpty()) {
      lines.add("no host runs");
    }
    status.hosts().forEach(host -> lines.add("host " + host.name() + " " + host.address()));
    for (HostStatus.Collection collection : status.collections()) {
      lines.add("");
      lines.addAll(StatusText.lines(collection.migration()));
      if (collection.isPaused()) {
        lines.add("paused");
      }
      collection.tasks().forEach(task -> lines.add("task " + text(task)));
    }
    return lines;
  }

  /** Returns a collection in one line. */
  static String line(HostStatus.Collection collection) {
    return collection.migration().collection()
        + ": phase "
        + collection.migration().source().phase().word()
        + (collection.isPaused() ? ", paused" : "")
        + collection.tasks().stream()
            .filter(task -> !task.name().startsWith("copy-"))
            .map(task -> ", " + task.name() + " " + task.status())
            .collect(Collectors.joining());
  }

  /** Returns the progress of a task in one line. */
  static String progress(String collection, HostStatus.Task task) {
    return collection + ": " + text(task);
  }

  private static String text(HostStatus.Task task) {
    StringBuilder text = new StringBuilder(task.name()).append(' ').append(task.status());
    if (task.done() > 0) {
      text.append(String.format(Locale.ROOT, ", %,d", task.done()));
    }
    if (task.total() > task.done()) {
      text.append(String.format(Locale.ROOT, " of about %,d", task.total()));
    }
    if (task.status().equals("running")) {
      text.append(", by ").append(task.owner());
    }
    if (task.attempt() > 1) {
      text.append(", attempt ").append(task.attempt());
    }
    if (!task.note().isEmpty() && !task.hasFailed()) {
      text.append(": ").append(task.note());
    }
    if (!task.reason().isEmpty()) {
      text.append(String.format(Locale.ROOT, ", failed %,d times: ", task.failures()))
          .append(task.reason());
    }
    return text.toString();
  }

  static String json(HostStatus status) {
    return new Members()
        .withObjects(
            "hosts",
            status.hosts().stream()
                .map(
                    host -> new Members().with("name", host.name()).with("address", host.address()))
                .toList())
        .withObjects("collections", status.collections().stream().map(HostText::members).toList())
        .toString();
  }

  private static Members members(HostStatus.Collection collection) {
    MigrationStatus migration = collection.migration();
    Members members =
        new Members()
            .with("collection", migration.collection())
            .with("phase", migration.source().phase().word())
            .with("epoch", migration.source().epoch())
            .with("newestPosition", migration.source().newestPosition())
            .with("paused", collection.isPaused())
            .with("copyTasks", migration.copy().tasks())
            .with("copyTasksDone", migration.copy().tasksDone())
            .with("copy", Certificate.print(migration.copy().counts()))
            .with("quarantined", migration.quarantine().keys())
            .with("acceptedLosses", migration.quarantine().acceptedLosses())
            .withObjects("tasks", collection.tasks().stream().map(HostText::members).toList())
            .withObjects("events", migration.events().stream().map(Members::parse).toList());
    if (migration.takenBack() != null) {
      members.with("takenBack", migration.takenBack().toString());
    }
    CopiedSnapshot snapshot = migration.copy().snapshot();
    if (snapshot != null) {
      members.with(
          "snapshot",
          new Members().with("store", snapshot.store()).with("position", snapshot.position()));
    }
    MigrationStatus.Stream stream = migration.stream();
    if (stream != null) {
      members.with("streamPosition", stream.position());
    }
    if (migration.backFill() != null) {
      members.with("backfill", backFill(migration.backFill()));
    }
    VerifyReport verify = migration.verify();
    return verify == null
        ? members
        : members.with(
            "verify",
            new Members()
                .with("sourceRows", verify.sourceRows())
                .with("targetRows", verify.targetRows())
                .with("differences", verify.differences())
                .with("foreign", verify.foreign()));
  }

  /** Returns the state of a back-fill, as JSON has it. */
  static Members backFill(BackFillReport report) {
    Duration left = report.timeLeft();
    Members members =
        new Members()
            .with("keys", report.counts().keys())
            .with("total", report.total())
            .with("absent", report.counts().absent())
            .with("rows", report.counts().rows())
            .with("toNew", report.counts().toNew())
            .with("toOld", report.counts().toOld())
            .with("rejected", report.counts().rejected())
            .with("differing", report.counts().differing())
            .with("ended", report.isEnded());
    return left == null ? members : members.with("secondsLeft", left.toSeconds());
  }

  private static Members members(HostStatus.Task task) {
    Failure failure = task.failure();
    Members members =
        new Members()
            .with("task", task.name())
            .with("status", task.status())
            .with("owner", task.owner())
            .with("attempt", task.attempt())
            .with("failures", task.failures())
            .with("reason", task.reason())
            .with("done", task.done())
            .with("total", task.total())
            .with("note", task.note());
    return failure == null ? members : members.with("failure", failure.word());
  }
}
