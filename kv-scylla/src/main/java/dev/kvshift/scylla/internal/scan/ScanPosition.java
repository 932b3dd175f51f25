package dev.kvshift.scylla.internal.scan;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Where a scan goes on: behind a token, or at a clustering key inside a partition.
 *
 * <p>The printed form is: format (1 byte: 1 behind a token, 2 inside), token (8), and inside the
 * length of main (4), main, the length of shard (4), shard, clustering.
 *
 * @param token the token that was passed or is being read
 * @param partition where inside; null behind the token
 */
record ScanPosition(long token, @Nullable Partition partition) {
  private static final byte BEHIND = 1;
  private static final byte INSIDE = 2;

  /**
   * Where inside a partition.
   *
   * @param clustering the first clustering key that is still to be read, or where it would be
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
        "scan position refused, it was altered or printed by something else: begin the task anew",
        cause);
  }
}
