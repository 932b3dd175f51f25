package dev.kvshift.legacy.server.internal.commit;

import java.nio.ByteBuffer;

/**
 * A registered consumer of a collection's changes.
 *
 * @param position the last position that it has read
 * @param seenMillis the time of its last call, by the leader's clock
 * @param droppedUpTo the position up to which changes that it had not read were dropped; 0 for none
 */
public record ChangeConsumer(long position, long seenMillis, long droppedUpTo) {
  public byte[] stored() {
    return ByteBuffer.allocate(3 * Long.BYTES)
        .putLong(position)
        .putLong(seenMillis)
        .putLong(droppedUpTo)
        .array();
  }

  static ChangeConsumer read(byte[] stored) {
    ByteBuffer buffer = ByteBuffer.wrap(stored);
    return new ChangeConsumer(buffer.getLong(), buffer.getLong(), buffer.getLong());
  }
}
