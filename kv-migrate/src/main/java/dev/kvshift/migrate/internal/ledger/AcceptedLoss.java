package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.api.Difference;
import java.time.Instant;
import java.util.OptionalLong;

/**
 * A difference that a person has accepted: the target never gets the newest row of a key. Ledger
 * key {@code accepted-loss/SHA256}, the name that the key had in the quarantine.
 *
 * @param lost the key and its row on the source, as they were quarantined
 * @param targetVersion version of the target's row then; empty if it had none
 * @param who the user who accepted it
 * @param host the machine on which that was
 * @param at when it was
 */
public record AcceptedLoss(
    QuarantinedKey lost, OptionalLong targetVersion, String who, String host, Instant at) {
  /** The key of all records. */
  public static final LedgerKey<AcceptedLoss> ALL =
      new LedgerKey<>("accepted-loss/", AcceptedLoss::print, AcceptedLoss::parse);

  /** Returns the key of the record for a topic key. */
  public static LedgerKey<AcceptedLoss> key(Bytes topicKey) {
    return ALL.in(QuarantinedKey.name(topicKey));
  }

  /**
   * Returns whether a difference of the key is the accepted one. Once either side has another row,
   * it is not.
   */
  public boolean covers(Difference difference) {
    return covers(difference.sourceVersion(), difference.targetVersion());
  }

  /** Returns whether the rows of both sides, which differ, have the accepted versions. */
  public boolean covers(OptionalLong onSource, OptionalLong onTarget) {
    return onSource.equals(OptionalLong.of(lost.version())) && onTarget.equals(targetVersion);
  }

  private Members print() {
    Members members = lost.print();
    targetVersion.ifPresent(version -> members.with("targetVersion", version));
    return members.with("who", who).with("host", host).with("at", at);
  }

  private static AcceptedLoss parse(Members members) {
    return new AcceptedLoss(
        QuarantinedKey.parse(members),
        members.has("targetVersion")
            ? OptionalLong.of(members.number("targetVersion"))
            : OptionalLong.empty(),
        members.text("who"),
        members.text("host"),
        members.instant("at"));
  }
}
