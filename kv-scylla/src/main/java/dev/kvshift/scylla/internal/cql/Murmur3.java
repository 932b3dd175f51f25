package dev.kvshift.scylla.internal.cql;

import dev.kvshift.api.Bytes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The partitioner of ScyllaDB and Cassandra: the first half of MurmurHash3 x64/128 with seed 0.
 * Both read the bytes of the last, incomplete block as signed, which the published algorithm does
 * not.
 */
public final class Murmur3 {
  private static final long C1 = 0x87c37b91114253d5L;
  private static final long C2 = 0x4cf5ad432745937fL;
  private static final int BLOCK_BYTES = 16;
  private static final int LENGTH_BYTES = 2;

  private Murmur3() {}

  /** Returns the token of a partition key of one column. */
  public static long token(Bytes main) {
    byte[] key = new byte[main.size()];
    main.copyTo(key, 0);
    return token(key);
  }

  /** Returns the token of a partition key of two columns: each as length, bytes, zero. */
  public static long token(Bytes main, Bytes shard) {
    int shardAt = LENGTH_BYTES + main.size() + 1;
    byte[] key = new byte[shardAt + LENGTH_BYTES + shard.size() + 1];
    ByteBuffer buffer = ByteBuffer.wrap(key);
    buffer.putShort(0, (short) main.size());
    main.copyTo(key, LENGTH_BYTES);
    buffer.putShort(shardAt, (short) shard.size());
    shard.copyTo(key, shardAt + LENGTH_BYTES);
    return token(key);
  }

  private static long token(byte[] key) {
    long hash = hash(key);
    return hash == Long.MIN_VALUE ? Long.MAX_VALUE : hash;
  }

  private static long hash(byte[] key) {
    ByteBuffer buffer = ByteBuffer.wrap(key).order(ByteOrder.LITTLE_ENDIAN);
    long h1 = 0;
    long h2 = 0;
    int blocks = key.length / BLOCK_BYTES;
    for (int i = 0; i < blocks; i++) {
      h1 ^= mix1(buffer.getLong(i * BLOCK_BYTES));
      h1 = (Long.rotateLeft(h1, 27) + h2) * 5 + 0x52dce729;
      h2 ^= mix2(buffer.getLong(i * BLOCK_BYTES + Long.BYTES));
      h2 = (Long.rotateLeft(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    int tail = blocks * BLOCK_BYTES;
    long k1 = 0;
    long k2 = 0;
    for (int i = tail; i < key.length; i++) {
      int at = i - tail;
      if (at < Long.BYTES) {
        k1 ^= (long) key[i] << (8 * at);
      } else {
        k2 ^= (long) key[i] << (8 * (at - Long.BYTES));
      }
    }
    h1 ^= mix1(k1);
    h2 ^= mix2(k2);
    h1 ^= key.length;
    h2 ^= key.length;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1);
    h2 = finish(h2);
    return h1 + h2;
  }

  private static long mix1(long k) {
    return Long.rotateLeft(k * C1, 31) * C2;
  }

  private static long mix2(long k) {
    return Long.rotateLeft(k * C2, 33) * C1;
  }

  private static long finish(long hash) {
    long h = hash;
    h ^= h >>> 33;
    h *= 0xff51afd7ed558ccdL;
    h ^= h >>> 33;
    h *= 0xc4ceb9fe1a85ec53L;
    h ^= h >>> 33;
    return h;
  }
}
