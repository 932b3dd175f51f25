package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.spi.Copy;
import org.jspecify.annotations.Nullable;

/**
 * A reset that has begun, written before anything is wiped, so that whoever goes on with it wipes
 * the same copy and no other. Ledger key {@code reset}; there is none otherwise.
 *
 * @param from the copy that is wiped
 * @param next the copy that a later migration fills
 * @param incarnation the incarnation that is dropped
 * @param topic the topic that is deleted; empty if there is none, without a leader
 * @param topicId Kafka's id of it, or null if it was never created
 * @param isAbort whether the migration is given up, rather than begun again
 */
public record ResetRecord(
    Copy from,
    Copy next,
    long incarnation,
    String topic,
    @Nullable String topicId,
    boolean isAbort) {
  /** The key of the record. */
  public static final LedgerKey<ResetRecord> KEY =
      new LedgerKey<>("reset", ResetRecord::print, ResetRecord::parse);

  private Members print() {
    Members members =
        new Members()
            .with("from", from.toString())
            .with("next", next.toString())
            .with("incarnation", incarnation)
            .with("topic", topic)
            .with("abort", isAbort);
    return topicId == null ? members : members.with("topicId", topicId);
  }

  private static ResetRecord parse(Members members) {
    return new ResetRecord(
        Copy.parse(members.text("from")),
        Copy.parse(members.text("next")),
        members.number("incarnation"),
        members.text("topic"),
        members.has("topicId") ? members.text("topicId") : null,
        members.flag("abort"));
  }
}
