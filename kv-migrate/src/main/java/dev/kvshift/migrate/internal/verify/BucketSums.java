package dev.kvshift.migrate.internal.verify;

import com.google.common.hash.HashCode;
import com.google.common.hash.HashFunction;
import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Row;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Counts and order-independent 128-bit sums of live rows, per bucket: a range of the target's
 * tokens. Takes 24 bytes per bucket. Safe for use by many threads.
 */
final class BucketSums {
  private static final HashFunction HASH = Hashing.murmur3_128(0x6b767368);
  private static final int WIDTH = 3;

  private final int bits;
  private final AtomicLongArray cells;

  /** Creates empty sums of 2^{@code bits} buckets. */
  BucketSums(int bits) {
    this.bits = bits;
    this.cells = new AtomicLongArray(WIDTH << bits);
  }

  /** Returns the bucket of a token. */
  static int bucket(long token, int bits) {
    return bits == 0 ? 0 : (int) ((token ^ Long.MIN_VALUE) >>> (Long.SIZE - bits));
  }

  /** Returns the hash of a live row: key, version, expiry and value. */
  static HashCode hash(Row row) {
    Hasher hasher = HASH.newHasher();
    put(hasher, row.key().main());
    put(hasher, row.key().clustering());
    hasher.putLong(row.version());
    hasher.putLong(row.expiry() == null ? Long.MIN_VALUE : row.expiry().toEpochMilli());
    put(hasher, Objects.requireNonNull(row.value()));
    return hasher.hash();
  }

  /** Adds a live row to the bucket of its token. */
  void add(long token, Row row) {
    int cell = WIDTH * bucket(token, bits);
    ByteBuffer hash = ByteBuffer.wrap(hash(row).asBytes()).order(ByteOrder.LITTLE_ENDIAN);
    cells.incrementAndGet(cell);
    cells.addAndGet(cell + 1, hash.getLong());
    cells.addAndGet(cell + 2, hash.getLong());
  }

  /** Returns the number of buckets. */
  int buckets() {
    return 1 << bits;
  }

  /** Returns the number of rows in a bucket. */
  long count(int bucket) {
    return cells.get(WIDTH * bucket);
  }

  /** Returns the number of rows in all buckets. */
  long count() {
    long sum = 0;
    for (int i = 0; i < buckets(); i++) {
      sum += count(i);
    }
    return sum;
  }

  /** Returns whether count and sum of a bucket are the same in both. */
  boolean isSame(BucketSums other, int bucket) {
    for (int i = WIDTH * bucket; i < WIDTH * (bucket + 1); i++) {
      if (cells.get(i) != other.cells.get(i)) {
        return false;
      }
    }
    return true;
  }

  /** Returns the sum over all buckets as 32 hexadecimal digits. */
  String digest() {
    long low = 0;
    long high = 0;
    for (int i = 0; i < buckets(); i++) {
      low += cells.get(WIDTH * i + 1);
      high += cells.get(WIDTH * i + 2);
    }
    return HexFormat.of().toHexDigits(high) + HexFormat.of().toHexDigits(low);
  }

  private static void put(Hasher hasher, Bytes bytes) {
    hasher.putInt(bytes.size()).putBytes(bytes.asReadOnlyBuffer());
  }
}
