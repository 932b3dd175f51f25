package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.spi.Copy;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.transition.MergePass;
import dev.kvshift.transition.MergePass.Position;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The last pass over both sides in clock order, and how far it has come. Ledger key {@code
 * merge-pass}. Runs that pass at once replace each other's records, and each record is true.
 *
 * @param copy the copy that the pass fills
 * @param epoch the epoch in which it began
 * @param began when it began, by the clock of the machine that began it
 * @param position how far it has come
 * @param ended when it ended; null if it has not
 */
public record MergeRecord(
    Copy copy, long epoch, Instant began, Position position, @Nullable Instant ended) {
  /** The key of the record. */
  public static final LedgerKey<MergeRecord> KEY =
      new LedgerKey<>("merge-pass", MergeRecord::print, MergeRecord::parse);

  /**
   * Returns whether a pass that begins in an epoch may begin where this one has stopped. In a later
   * epoch it may not: instances may have written to one side again.
   */
  public boolean isResumedBy(Copy itsCopy, long itsEpoch) {
    return ended == null && copy.equals(itsCopy) && epoch == itsEpoch;
  }

  /** Returns whether both sides were read to their ends. */
  boolean isWhole() {
    return ended != null && position.isOnNew() && position.at() == null;
  }

  Members print() {
    MergePass.Counts counts = position.counts();
    Members members =
        new Members()
            .with("copyId", copy.toString())
            .with("epoch", epoch)
            .with("began", began)
            .with("onNew", position.isOnNew())
            .with("after", position.task().after())
            .with("upTo", position.task().upTo());
    if (position.at() != null) {
      members.with("position", position.at());
    }
    members
        .with("oldRows", counts.oldRows())
        .with("newRows", counts.newRows())
        .with("equal", counts.equal())
        .with("toOld", counts.toOld())
        .with("toNew", counts.toNew())
        .with("purged", counts.purged());
    return ended == null ? members : members.with("ended", ended);
  }

  static MergeRecord parse(Members members) {
    return new MergeRecord(
        Copy.parse(members.text("copyId")),
        members.number("epoch"),
        members.instant("began"),
        new Position(
            members.flag("onNew"),
            ScanTask.of(members.number("after"), members.number("upTo")),
            members.has("position") ? members.bytes("position") : null,
            new MergePass.Counts(
                members.number("oldRows"),
                members.number("newRows"),
                members.number("equal"),
                members.number("toOld"),
                members.number("toNew"),
                members.number("purged"))),
        members.has("ended") ? members.instant("ended") : null);
  }
}
