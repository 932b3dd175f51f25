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
 * @param keyParts number of the {@link KeyPart}s that hold a longer key; 0 in records of versions
 *     that did not keep it
 */
public record QuarantinedKey(
    long version, String reason, long deadLetterOffset, @Nullable Bytes topicKey, int keyParts) {
  /** The key of all records. */
  public static final LedgerKey<QuarantinedKey> ALL =
      new LedgerKey<>("quarantine/", QuarantinedKey::print, QuarantinedKey::parse);

  private static final int MAX_REASON_CHARS = 500;

  /** Returns the record of a rejected row, within the limits of a record. */
  static QuarantinedKey of(Bytes topicKey, long version, String reason, long deadLetterOffset) {
    boolean isLong = topicKey.size() > KeyPart.MAX_BYTES;
    return new QuarantinedKey(
        version,
        reason.substring(0, Math.min(reason.length(), MAX_REASON_CHARS)),
        deadLetterOffset,
        isLong ? null : topicKey,
        isLong ? KeyPart.count(topicKey) : 0);
  }

  /** Returns the key of the record for a topic key. */
  public static LedgerKey<QuarantinedKey> key(Bytes topicKey) {
    return ALL.in(name(topicKey));
  }

  static String name(Bytes topicKey) {
    return Hashing.sha256().hashBytes(topicKey.toByteArray()).toString();
  }

  Members print() {
    Members members =
        new Members()
            .with("version", version)
            .with("reason", reason)
            .with("deadLetterOffset", deadLetterOffset);
    if (topicKey != null) {
      members.with("key", topicKey);
    } else if (keyParts != 0) {
      members.with("keyParts", keyParts);
    }
    return members;
  }

  static QuarantinedKey parse(Members members) {
    return new QuarantinedKey(
        members.number("version"),
        members.text("reason"),
        members.number("deadLetterOffset"),
        members.has("key") ? members.bytes("key") : null,
        members.has("keyParts") ? members.count("keyParts") : 0);
  }
}
