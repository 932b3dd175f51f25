package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.migrate.api.BackFillReport;
import dev.kvshift.spi.Copy;
import java.util.List;

/**
 * The last back-fill of listed main keys, and how far it has come. Ledger key {@code back-fill}.
 * Runs that back-fill at once replace each other's records, and each record is true.
 *
 * @param copy the copy that it fills
 * @param epoch the epoch in which it began
 * @param digest the digest of the keys that are done, in the order of the list
 * @param report what was done
 */
public record BackFillRecord(Copy copy, long epoch, String digest, BackFillReport report) {
  /** The key of the record. */
  public static final LedgerKey<BackFillRecord> KEY =
      new LedgerKey<>("back-fill", BackFillRecord::print, BackFillRecord::parse);

  /**
   * Returns the number of keys that a back-fill need not look at again, provided that its list
   * begins with the same ones. In another epoch that is none: services may have used one side alone
   * in between.
   */
  public long doneFor(Copy itsCopy, long itsEpoch) {
    return copy.equals(itsCopy) && epoch == itsEpoch ? report.counts().keys() : 0;
  }

  Members print() {
    BackFillReport.Counts counts = report.counts();
    return new Members()
        .with("copyId", copy.toString())
        .with("epoch", epoch)
        .with("digest", digest)
        .with("keys", counts.keys())
        .with("absent", counts.absent())
        .with("rows", counts.rows())
        .with("toNew", counts.toNew())
        .with("toOld", counts.toOld())
        .with("rejected", counts.rejected())
        .with("differing", counts.differing())
        .with("total", report.total())
        .with("keysPerMinute", Math.round(60 * report.keysPerSecond()))
        .with("at", report.at())
        .with("ended", report.isEnded());
  }

  static BackFillRecord parse(Members members) {
    return new BackFillRecord(
        Copy.parse(members.text("copyId")),
        members.number("epoch"),
        members.text("digest"),
        new BackFillReport(
            new BackFillReport.Counts(
                members.number("keys"),
                members.number("absent"),
                members.number("rows"),
                members.number("toNew"),
                members.number("toOld"),
                members.number("rejected"),
                members.number("differing")),
            members.number("total"),
            members.number("keysPerMinute") / 60.0,
            members.instant("at"),
            members.flag("ended"),
            List.of()));
  }
}
