package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.spi.ScanTask;
import org.jspecify.annotations.Nullable;

/**
 * The progress of one task of the copy. Kept in groups: {@link CopyTaskGroup}.
 *
 * @param range the part of the collection that the task copies
 * @param position the scan position to resume at, or null at the beginning and at the end
 * @param isDone whether all of it is copied
 * @param counts its accounting so far
 */
public record CopyTask(
    ScanTask range, @Nullable Bytes position, boolean isDone, CopyCounts counts) {
  /** Returns a task that has not begun. */
  public static CopyTask of(ScanTask range) {
    return new CopyTask(range, null, false, CopyCounts.NONE);
  }

  /** Returns the task after a page; a page without a next position is the last one. */
  public CopyTask advance(@Nullable Bytes next, CopyCounts page) {
    return new CopyTask(range, next, next == null, counts.plus(page));
  }

  Members print() {
    Members members = new Members().with("after", range.after()).with("upTo", range.upTo());
    if (position != null) {
      members.with("position", position);
    }
    members
        .with("done", isDone)
        .with("read", counts.read())
        .with("written", counts.written())
        .with("skippedTombstones", counts.skipped().tombstones())
        .with("skippedExpired", counts.skipped().expired())
        .with("rejected", counts.rejected())
        .with("highestVersion", counts.highestVersion());
    return printLeft(members, counts);
  }

  /** Adds what was left to expire, if anything was. */
  static Members printLeft(Members members, CopyCounts counts) {
    CopyCounts.LeftToExpire left = counts.skipped().left();
    return left.last() == null
        ? members
        : members.with("leftToExpire", left.rows()).with("lastExpiry", left.last());
  }

  static CopyTask parse(Members members) {
    return new CopyTask(
        ScanTask.of(members.number("after"), members.number("upTo")),
        members.has("position") ? members.bytes("position") : null,
        members.flag("done"),
        parseCounts(members));
  }

  static CopyCounts parseCounts(Members members) {
    return new CopyCounts(
        members.number("read"),
        members.number("written"),
        new CopyCounts.Skipped(
            members.number("skippedTombstones"),
            members.number("skippedExpired"),
            members.has("leftToExpire")
                ? new CopyCounts.LeftToExpire(
                    members.number("leftToExpire"), members.instant("lastExpiry"))
                : CopyCounts.LeftToExpire.NONE),
        members.number("rejected"),
        members.number("highestVersion"));
  }
}
