package dev.kvshift.migrate.internal.ledger;

import com.google.common.hash.Hashing;
import dev.kvshift.api.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * A key whose row the target rejected. Ledger key {@code quarantine/SHA256}, the hexadecimal hash
 * of the topic key.
 *
 * @param version version of the newest rejected row
 * @param reason the target's error, at most 500 characters
 * @param deadLetterOffset offset of the row in the dead-letter topic
 * @param topicKey the key as the topic encodes it, or null if it is longer than 32 KiB
 */
public record QuarantinedKey(
    long version, String reason, long deadLetterOffset, @Nullable Bytes topicKey) {
  /** The key of all records. */
  public static final LedgerKey<QuarantinedKey> ALL =
      new LedgerKey<>("quarantine/", QuarantinedKey::print, QuarantinedKey::parse);

  private static final int MAX_REASON_CHARS = 500;
  private static final int MAX_KEY_BYTES = 32 << 10;

  /** Returns the record of a rejected row, within the limits of a record. */
  public static QuarantinedKey of(
      Bytes topicKey, long version, String reason, long deadLetterOffset) {
    return new QuarantinedKey(
        version,
        reason.substring(0, Math.min(reason.length(), MAX_REASON_CHARS)),
        deadLetterOffset,
        topicKey.size() <= MAX_KEY_BYTES ? topicKey : null);
  }

  /** Returns the key of the record for a topic key. */
  public static LedgerKey<QuarantinedKey> key(Bytes topicKey) {
    return ALL.in(Hashing.sha256().hashBytes(topicKey.toByteArray()).toString());
  }

  private Members print() {
    Members members =
        new Members()
            .with("version", version)
            .with("reason", reason)
            .with("deadLetterOffset", deadLetterOffset);
    return topicKey == null ? members : members.with("key", topicKey);
  }

  private static QuarantinedKey parse(Members members) {
    return new QuarantinedKey(
        members.number("version"),
        members.text("reason"),
        members.number("deadLetterOffset"),
        members.has("key") ? members.bytes("key") : null);
  }
}
