package dev.kvshift.migrate.internal.verify;

import com.google.common.hash.HashCode;
import com.google.common.hash.HashFunction;
import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.Objects;

/**
 * The digest of a live row in a comparison: 128 bits and the expiry.
 *
 * @param key the hash of main key and clustering
 * @param content the hash of key, version, expiry and value
 * @param expiry the expiry in milliseconds since the epoch, or {@link #NO_EXPIRY}
 */
record RowDigest(long key, long content, long expiry) {
  /** The expiry of a row that never expires. */
  static final long NO_EXPIRY = Long.MAX_VALUE;

  private static final HashFunction HASH = Hashing.murmur3_128(0x6b767368);

  /** Returns the digest of a live row. */
  static RowDigest of(Row row) {
    long expiry = row.expiry() == null ? NO_EXPIRY : row.expiry().toEpochMilli();
    Hasher hasher = HASH.newHasher();
    put(hasher, row.key().main());
    put(hasher, row.key().clustering());
    hasher.putLong(row.version());
    hasher.putLong(expiry);
    put(hasher, Objects.requireNonNull(row.value()));
    return new RowDigest(keyHash(row.key()), first(hasher.hash()), expiry);
  }

  /** Returns the hash of a key; its shard does not count, because only one side may have one. */
  static long keyHash(StoreKey key) {
    Hasher hasher = HASH.newHasher();
    put(hasher, key.main());
    put(hasher, key.clustering());
    return first(hasher.hash());
  }

  /** Returns whether the row is dead by now, so that no difference in it matters. */
  boolean hasExpiredBy(Instant now) {
    return expiry <= now.toEpochMilli();
  }

  private static void put(Hasher hasher, Bytes bytes) {
    hasher.putInt(bytes.size()).putBytes(bytes.asReadOnlyBuffer());
  }

  private static long first(HashCode hash) {
    return ByteBuffer.wrap(hash.asBytes()).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }
}
