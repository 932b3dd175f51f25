package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.api.Bytes;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A part of a quarantined key that is too long for its record. Ledger key {@code
 * quarantined-key/SHA256-N}, the name of the record and the number of the part, from 0.
 *
 * @param bytes at most 32 KiB of the topic key
 */
record KeyPart(Bytes bytes) {
  static final int MAX_BYTES = 32 << 10;

  static final LedgerKey<KeyPart> ALL =
      new LedgerKey<>(
          "quarantined-key/",
          part -> new Members().with("bytes", part.bytes),
          members -> new KeyPart(members.bytes("bytes")));

  static LedgerKey<KeyPart> key(String name, int part) {
    return ALL.in(name + "-" + part);
  }

  /** Returns the number of parts of a key. */
  static int count(Bytes topicKey) {
    return (topicKey.size() + MAX_BYTES - 1) / MAX_BYTES;
  }

  static KeyPart of(Bytes topicKey, int part) {
    ByteBuffer buffer = topicKey.asReadOnlyBuffer();
    int from = buffer.position() + part * MAX_BYTES;
    buffer.limit(Math.min(buffer.limit(), from + MAX_BYTES)).position(from);
    return new KeyPart(Bytes.of(buffer));
  }

  static Bytes join(List<Bytes> parts) {
    ByteBuffer buffer = ByteBuffer.allocate(parts.stream().mapToInt(Bytes::size).sum());
    parts.forEach(part -> buffer.put(part.asReadOnlyBuffer()));
    return Bytes.of(buffer.flip());
  }
}
