package dev.kvshift.scylla.internal.scan;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A position from which a scan resumes.
 *
 * <p>Printed form: 1 byte for the kind, 8 bytes token, and after it
 *
 * <ul>
 *   <li>1, {@link Behind}: nothing
 *   <li>2, {@link Inside}: 4 bytes length of main, main, 4 bytes length of shard, shard, clustering
 *   <li>3, {@link Across} without a partition that was read: clustering
 *   <li>4, {@link Across} with one: as 2
 * </ul>
 */
sealed interface ScanPosition {
  byte BEHIND = 1;
  byte INSIDE = 2;
  byte ACROSS = 3;
  byte ACROSS_OTHERS = 4;

  /** Returns the token that was passed or is being read. */
  long token();

  /** A partition's key. */
  record Partition(Bytes main, Bytes shard) {}

  /** After all partitions of a token. */
  record Behind(long token) implements ScanPosition {}

  /**
   * Inside a partition.
   *
   * @param clustering lower bound of the clustering keys that are still to be read
   */
  record Inside(long token, Partition partition, Bytes clustering) implements ScanPosition {}

  /**
   * Inside all partitions of a token, which are read in parallel because the server refuses to find
   * the first live row of one.
   *
   * @param read a partition that was read to its end before; null if there is none
   * @param clustering lower bound of the clustering keys that are still to be read
   */
  record Across(long token, @Nullable Partition read, Bytes clustering) implements ScanPosition {}

  static ScanPosition parse(Bytes printed) {
    ByteBuffer buffer = printed.asReadOnlyBuffer();
    try {
      byte kind = buffer.get();
      long token = buffer.getLong();
      if (kind == BEHIND && !buffer.hasRemaining()) {
        return new Behind(token);
      }
      if (kind == INSIDE) {
        return new Inside(token, partition(buffer), Bytes.of(buffer));
      }
      if (kind == ACROSS) {
        return new Across(token, null, Bytes.of(buffer));
      }
      if (kind == ACROSS_OTHERS) {
        return new Across(token, partition(buffer), Bytes.of(buffer));
      }
    } catch (BufferUnderflowException e) {
      throw refused(e);
    }
    throw refused(null);
  }

  default Bytes print() {
    if (this instanceof Inside inside) {
      return print(INSIDE, inside.partition(), inside.clustering());
    }
    if (this instanceof Across across) {
      Partition read = across.read();
      return print(read == null ? ACROSS : ACROSS_OTHERS, read, across.clustering());
    }
    return print(BEHIND, null, Bytes.empty());
  }

  private Bytes print(byte kind, @Nullable Partition partition, Bytes clustering) {
    int size = 1 + Long.BYTES + clustering.size();
    if (partition != null) {
      size += 2 * Integer.BYTES + partition.main().size() + partition.shard().size();
    }
    ByteBuffer buffer = ByteBuffer.allocate(size).put(kind).putLong(token());
    if (partition != null) {
      buffer.putInt(partition.main().size()).put(partition.main().asReadOnlyBuffer());
      buffer.putInt(partition.shard().size()).put(partition.shard().asReadOnlyBuffer());
    }
    return Bytes.of(buffer.put(clustering.asReadOnlyBuffer()).flip());
  }

  private static Partition partition(ByteBuffer buffer) {
    Bytes main = part(buffer, buffer.getInt());
    return new Partition(main, part(buffer, buffer.getInt()));
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
