package dev.kvshift.scylla.internal.scan;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A position from which a scan resumes: after a token, or at a clustering key inside a partition.
 *
 * <p>Printed form: 1 byte for the format (1 after a token, 2 inside a partition), 8 bytes token;
 * inside a partition also 4 bytes length of main, main, 4 bytes length of shard, shard, clustering.
 *
 * @param token the token that was passed or is being read
 * @param partition the partition that is being read; null after the token
 */
record ScanPosition(long token, @Nullable Partition partition) {
  private static final byte BEHIND = 1;
  private static final byte INSIDE = 2;

  /**
   * A position inside a partition.
   *
   * @param clustering lower bound of the clustering keys that are still to be read
   */
  record Partition(Bytes main, Bytes shard, Bytes clustering) {}

  static ScanPosition behind(long token) {
    return new ScanPosition(token, null);
  }

  static ScanPosition inside(long token, Bytes main, Bytes shard, Bytes clustering) {
    return new ScanPosition(token, new Partition(main, shard, clustering));
  }

  static ScanPosition parse(Bytes printed) {
    ByteBuffer buffer = printed.asReadOnlyBuffer();
    try {
      byte format = buffer.get();
      long token = buffer.getLong();
      if (format == BEHIND && !buffer.hasRemaining()) {
        return behind(token);
      }
      if (format == INSIDE) {
        Bytes main = part(buffer, buffer.getInt());
        Bytes shard = part(buffer, buffer.getInt());
        return inside(token, main, shard, Bytes.of(buffer));
      }
    } catch (BufferUnderflowException e) {
      throw refused(e);
    }
    throw refused(null);
  }

  Bytes print() {
    Partition inside = partition;
    if (inside == null) {
      return Bytes.of(ByteBuffer.allocate(1 + Long.BYTES).put(BEHIND).putLong(token).flip());
    }
    int size = inside.main().size() + inside.shard().size() + inside.clustering().size();
    ByteBuffer buffer =
        ByteBuffer.allocate(1 + Long.BYTES + 2 * Integer.BYTES + size).put(INSIDE).putLong(token);
    buffer.putInt(inside.main().size()).put(inside.main().asReadOnlyBuffer());
    buffer.putInt(inside.shard().size()).put(inside.shard().asReadOnlyBuffer());
    return Bytes.of(buffer.put(inside.clustering().asReadOnlyBuffer()).flip());
  }

  private static Bytes part(ByteBuffer buffer, int length) {
    if (length < 0 || length > buffer.remaining()) {
      throw refused(null);
    }
    Bytes part = Bytes.of(buffer.slice(buffer.position(), length));
    buffer.position(buffer.position() + length);
    return part;
  }

  private static KvException refused(@Nullable Throwable cause) {
    return new KvException.Permanent(
        "this is not a scan position of this store, or it was altered: restart the task from its"
            + " beginning",
        cause);
  }
}
