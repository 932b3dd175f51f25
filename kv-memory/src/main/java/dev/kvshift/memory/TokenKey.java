package dev.kvshift.memory;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.spi.StoreKey;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;

/**
 * A row's key after the token of its partition, in the order of a scan: by token, then by key. The
 * token is the 64-bit FNV-1a hash of the main part's length, the main part and the shard part,
 * mixed once more. It never changes, because scan positions contain it.
 */
record TokenKey(long token, StoreKey key) implements Comparable<TokenKey> {
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  static TokenKey of(StoreKey key) {
    return new TokenKey(token(key.main(), key.shard()), key);
  }

  static long token(Bytes main, Bytes shard) {
    long hash = FNV_OFFSET;
    hash = (hash ^ main.size()) * FNV_PRIME;
    hash = hash(hash, main);
    hash = hash(hash, shard);
    hash ^= hash >>> 32;
    return hash * 0x9e3779b97f4a7c15L;
  }

  private static long hash(long start, Bytes bytes) {
    long hash = start;
    for (int i = 0; i < bytes.size(); i++) {
      hash = (hash ^ (bytes.at(i) & 0xff)) * FNV_PRIME;
    }
    return hash;
  }

  static TokenKey parse(Bytes position) {
    try {
      ByteBuffer buffer = position.asReadOnlyBuffer();
      long token = buffer.getLong();
      Bytes main = take(buffer, buffer.getInt());
      Bytes shard = take(buffer, buffer.getInt());
      return new TokenKey(token, StoreKey.of(main, shard, Bytes.of(buffer)));
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new InvalidArgument(
          "scan position refused: pass the one of the previous page, or start the task over", e);
    }
  }

  private static Bytes take(ByteBuffer buffer, int size) {
    if (size < 0 || size > buffer.remaining()) {
      throw new IllegalArgumentException("a part of " + size + " bytes");
    }
    ByteBuffer part = buffer.duplicate();
    part.limit(buffer.position() + size);
    buffer.position(part.limit());
    return Bytes.of(part);
  }

  Bytes print() {
    ByteBuffer buffer =
        ByteBuffer.allocate(
            Long.BYTES
                + 2 * Integer.BYTES
                + key.main().size()
                + key.shard().size()
                + key.clustering().size());
    buffer.putLong(token);
    buffer.putInt(key.main().size()).put(key.main().asReadOnlyBuffer());
    buffer.putInt(key.shard().size()).put(key.shard().asReadOnlyBuffer());
    buffer.put(key.clustering().asReadOnlyBuffer()).flip();
    return Bytes.of(buffer);
  }

  @Override
  public int compareTo(TokenKey other) {
    int order = Long.compare(token, other.token);
    return order != 0 ? order : key.compareTo(other.key);
  }
}
