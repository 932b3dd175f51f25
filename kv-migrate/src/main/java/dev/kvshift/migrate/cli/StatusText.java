package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.spi.Phase;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The status of a migration as lines for people. */
final class StatusText {
  private StatusText() {}

  static List<String> lines(MigrationStatus status) {
    List<String> lines = new ArrayList<>();
    MigrationStatus.Source source = status.source();
    lines.add(
        String.format(
            Locale.ROOT,
            "%s: phase %s, epoch %d%s%s",
            status.collection(),
            source.phase().word(),
            source.epoch(),
            source.isFenced() ? ", fenced" : "",
            source.floor().isPresent() && source.phase() != Phase.NEW_ONLY
                ? ", moved with a way back"
                : ""));
    if (status.takenBack() != null) {
      lines.add(
          "taken back after an earlier move, by a pass that ended at "
              + status.takenBack()
              + ": 'certificate --rollback "
              + status.collection()
              + "' prints its proof");
    }
    MigrationStatus.Stream stream = status.stream();
    if (stream == null) {
      lines.add("way back: " + wayBack(status));
      lines.add(source.floor().isPresent() ? "moved and retired" : "not prepared");
      status.events().forEach(event -> lines.add("event " + event));
      return lines;
    }
    lines.add(
        String.format(
            Locale.ROOT,
            "stream: position %,d of %,d%s",
            stream.position(),
            source.newestPosition(),
            stream.keptUntil() == null
                ? ""
                : "; the source keeps later changes until " + stream.keptUntil()));
    MigrationStatus.Copy copy = status.copy();
    lines.add(
        String.format(
            Locale.ROOT,
            "copy: %,d of %,d tasks, %,d rows read, %,d written, %,d rejected%s%s",
            copy.tasksDone(),
            copy.tasks(),
            copy.counts().read(),
            copy.counts().written(),
            copy.counts().rejected(),
            ResultText.left(copy.counts()),
            ResultText.snapshot(copy.snapshot())));
    if (status.backFill() != null) {
      lines.add(ResultText.backFill(status.backFill()));
    }
    VerifyReport verify = status.verify();
    lines.add(
        verify == null
            ? "verify: not yet"
            : String.format(
                Locale.ROOT,
                "verify: %,d differences%s",
                verify.differences(),
                ResultText.foreign(verify)));
    MigrationStatus.Quarantine quarantine = status.quarantine();
    lines.add(String.format(Locale.ROOT, "quarantine: %,d keys", quarantine.keys()));
    quarantine.first().forEach(rejected -> lines.add("  " + rejected));
    if (quarantine.first().size() < quarantine.keys()) {
      lines.add("  …");
    }
    if (quarantine.acceptedLosses() != 0) {
      lines.add(
          String.format(Locale.ROOT, "accepted losses: %,d keys", quarantine.acceptedLosses()));
    }
    source.floor().ifPresent(floor -> lines.add("moved, floor " + floor));
    lines.add("way back: " + wayBack(status));
    status.events().forEach(event -> lines.add("event " + event));
    return lines;
  }

  /** Returns what leads back to the old store, now and after the move. */
  private static String wayBack(MigrationStatus status) {
    if (status.source().phase() == Phase.NEW_ONLY) {
      return "none, it has moved for good";
    }
    if (status.source().floor().isPresent()) {
      return "'rollback', until 'finish'";
    }
    return status.noWayBack() == null
        ? "'rollback'; after a cutover, too, until 'finish'"
        : "'rollback'; none after a cutover: " + status.noWayBack();
  }
}
