package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.migrate.api.DifferenceCounts;
import dev.kvshift.migrate.api.VerifyReport;
import java.time.Instant;
import java.util.List;

/**
 * The last full comparison. Ledger key {@code verify}.
 *
 * @param report the result; its keys are not kept
 * @param position V, the change-log position that was applied when the comparison began; later
 *     changes are the tail check's
 * @param digests the sums over all rows
 * @param at when the comparison ended
 * @param offsets per partition, the topic's offset at which the tail check begins
 */
public record VerifyRecord(
    VerifyReport report, long position, Digests digests, Instant at, List<Long> offsets) {
  /** The key of the record. */
  public static final LedgerKey<VerifyRecord> KEY =
      new LedgerKey<>("verify", VerifyRecord::print, VerifyRecord::parse);

  /** Copies the list. */
  public VerifyRecord {
    offsets = List.copyOf(offsets);
  }

  /**
   * The sums over all rows of each side, as hexadecimal digits. They may differ although no key
   * does: rows change while they are scanned.
   *
   * @param source the source's
   * @param target the target's
   */
  public record Digests(String source, String target) {}

  /** Returns when the comparison began: what was read last may be as old as that. */
  public Instant began() {
    return at.minus(report.duration());
  }

  Members print() {
    DifferenceCounts counts = report.counts();
    Members members =
        new Members()
            .with("sourceRows", report.sourceRows())
            .with("targetRows", report.targetRows())
            .with("rechecked", report.rechecked())
            .with("missing", counts.missing())
            .with("extra", counts.extra())
            .with("different", counts.different())
            .with("resurrected", counts.resurrected())
            .with("differences", counts.total());
    if (report.foreign() != 0) {
      members.with("foreign", report.foreign());
    }
    return members
        .with("position", position)
        .withMillis("millis", report.duration())
        .with("sourceDigest", digests.source)
        .with("targetDigest", digests.target)
        .with("at", at)
        .withNumbers("offsets", offsets);
  }

  static VerifyRecord parse(Members members) {
    return new VerifyRecord(
        new VerifyReport(
            members.number("sourceRows"),
            members.number("targetRows"),
            members.number("rechecked"),
            new DifferenceCounts(
                members.number("missing"),
                members.number("extra"),
                members.number("different"),
                members.number("resurrected")),
            members.has("foreign") ? members.number("foreign") : 0,
            List.of(),
            members.millis("millis")),
        members.number("position"),
        new Digests(members.text("sourceDigest"), members.text("targetDigest")),
        members.instant("at"),
        members.numbers("offsets"));
  }
}
