package dev.kvshift.migrate.internal.ledger;

import java.time.Instant;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The progress of the stream through the source's change log. Ledger key {@code stream}.
 *
 * @param from S0, the position after which the stream began; the copy holds all rows up to it
 * @param position the position up to which the broker has acknowledged all changes
 * @param logId the identity of the source's change log up to {@code position}; null in records of
 *     versions that kept none
 * @param keptUntil when the source may drop the changes after {@code position}, or null if the
 *     source has not said so
 * @param counts the changes sent up to {@code position}, by the topic's partitions; null if a
 *     version without counts began the stream
 * @param version the highest version among the changes sent up to {@code position}; 0 if there was
 *     none, or if a version of kvshift that kept none has written the record
 */
public record StreamProgress(
    long from,
    long position,
    @Nullable String logId,
    @Nullable Instant keptUntil,
    @Nullable List<ChangeCount> counts,
    long version) {
  /** The key of the record. */
  public static final LedgerKey<StreamProgress> KEY =
      new LedgerKey<>("stream", StreamProgress::print, StreamProgress::parse);

  /** Returns the progress of a stream that has not begun, to a topic of that many partitions. */
  public static StreamProgress startingAt(long position, String logId, int partitions) {
    return new StreamProgress(
        position, position, logId, null, Collections.nCopies(partitions, ChangeCount.NONE), 0);
  }

  /** Returns the progress after an acknowledgement; neither position nor time is lost. */
  public StreamProgress advance(
      long acknowledged,
      String newLogId,
      @Nullable Instant newKeptUntil,
      @Nullable List<ChangeCount> newCounts,
      long newVersion) {
    boolean isNewer = acknowledged >= position;
    return new StreamProgress(
        from,
        Math.max(position, acknowledged),
        isNewer ? newLogId : logId,
        newKeptUntil == null ? keptUntil : newKeptUntil,
        isNewer ? newCounts : counts,
        Math.max(version, newVersion));
  }

  private Members print() {
    Members members = new Members().with("from", from).with("position", position);
    if (keptUntil != null) {
      members.with("keptUntil", keptUntil);
    }
    if (logId != null) {
      members.with("logId", logId);
    }
    if (version != 0) {
      members.with("version", version);
    }
    return counts == null
        ? members
        : members.withLists("counts", counts.stream().map(ChangeCount::numbers).toList());
  }

  private static StreamProgress parse(Members members) {
    return new StreamProgress(
        members.number("from"),
        members.number("position"),
        members.has("logId") ? members.text("logId") : null,
        members.has("keptUntil") ? members.instant("keptUntil") : null,
        members.has("counts")
            ? members.lists("counts").stream().map(ChangeCount::of).toList()
            : null,
        members.has("version") ? members.number("version") : 0);
  }
}
