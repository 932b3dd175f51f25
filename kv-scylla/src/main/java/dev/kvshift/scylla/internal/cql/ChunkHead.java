package dev.kvshift.scylla.internal.cql;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.zip.CRC32C;

/**
 * The part of a cell that replaces a large value: the id of the value's chunks, and what verifies
 * them.
 *
 * <p>The id is a SHA-256 of key, version, value and chunk size. Writing a value again therefore
 * writes the same chunks, and two processes that cut one write into chunks of different sizes do
 * not overwrite each other's.
 *
 * @param id the partition that holds the chunks, 32 bytes
 * @param length length of the value, in bytes
 * @param checksum CRC32C of the value
 */
public record ChunkHead(Bytes id, int length, int checksum) {
  static final int ID_BYTES = 32;
  static final int BYTES = ID_BYTES + 2 * Integer.BYTES;

  /** Returns the head of a value that is cut into chunks of the given size. */
  public static ChunkHead of(StoreKey key, long version, Bytes value, int chunkBytes) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update(owner(key, version).asReadOnlyBuffer());
      sha.update(value.asReadOnlyBuffer());
      sha.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, chunkBytes));
      return new ChunkHead(
          Bytes.of(sha.digest()), value.size(), checksum(value.asReadOnlyBuffer()));
    } catch (NoSuchAlgorithmException e) {
      throw new LinkageError("every JDK has SHA-256", e);
    }
  }

  /** Returns whether these bytes are the whole value. */
  public boolean isOf(ByteBuffer value) {
    return value.remaining() == length && checksum(value.duplicate()) == checksum;
  }

  private static int checksum(ByteBuffer value) {
    CRC32C checksum = new CRC32C();
    checksum.update(value);
    return (int) checksum.getValue();
  }

  /**
   * Returns the owner row's content, from which the sweep finds the row that names the chunks:
   * version (8 bytes), length of main (4), main, length of shard (4), shard, clustering.
   */
  public static Bytes owner(StoreKey key, long version) {
    int size = key.main().size() + key.shard().size() + key.clustering().size();
    ByteBuffer owner = ByteBuffer.allocate(Long.BYTES + 2 * Integer.BYTES + size).putLong(version);
    owner.putInt(key.main().size()).put(key.main().asReadOnlyBuffer());
    owner.putInt(key.shard().size()).put(key.shard().asReadOnlyBuffer());
    return Bytes.of(owner.put(key.clustering().asReadOnlyBuffer()).flip());
  }

  /** Returns the key in an owner row's content. */
  public static StoreKey ownerKey(ByteBuffer owner) {
    ByteBuffer rest = owner.duplicate();
    rest.getLong();
    Bytes main = Bytes.of(take(rest));
    Bytes shard = Bytes.of(take(rest));
    return StoreKey.of(main, shard, Bytes.of(rest));
  }

  private static ByteBuffer take(ByteBuffer buffer) {
    int length = buffer.getInt();
    ByteBuffer part = buffer.slice(buffer.position(), length);
    buffer.position(buffer.position() + length);
    return part;
  }
}
