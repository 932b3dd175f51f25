package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.CopyReport;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.VerifyReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A migration's status for people. */
final class StatusText {
  private StatusText() {}

  static List<String> lines(MigrationStatus status) {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            Locale.ROOT,
            "%s: phase %s, epoch %d%s",
            status.collection(),
            status.phase().name().toLowerCase(Locale.ROOT),
            status.epoch(),
            status.fenced() ? ", fenced" : ""));
    if (!status.prepared()) {
      lines.add("not prepared");
      return lines;
    }
    lines.add(
        String.format(
            Locale.ROOT,
            "stream: position %,d of %,d%s",
            status.streamedPosition(),
            status.newestPosition(),
            status.keptUntil() == null
                ? ""
                : "; what follows is kept until " + status.keptUntil()));
    CopyReport copy = status.copy();
    lines.add(
        String.format(
            Locale.ROOT,
            "copy: %,d of %,d tasks, %,d rows read, %,d written, %,d rejected",
            status.copyTasksDone(),
            status.copyTasks(),
            copy.read(),
            copy.written(),
            copy.rejected()));
    VerifyReport verify = status.verify();
    lines.add(
        verify == null
            ? "verify: not yet"
            : String.format(Locale.ROOT, "verify: %,d differences", verify.differences()));
    lines.add(String.format(Locale.ROOT, "quarantine: %,d keys", status.quarantined()));
    if (status.floor() > 0) {
      lines.add("moved, floor " + status.floor());
    }
    status.events().forEach(event -> lines.add("event " + event));
    return lines;
  }
}
