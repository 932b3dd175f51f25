package dev.kvshift.bench;

import dev.kvshift.api.Bytes;
import dev.kvshift.model.key.KeyFormat;
import dev.kvshift.model.key.Keys;
import dev.kvshift.spi.StoreKey;

/**
 * One main key of the partition-size measurement. Its entries are numbered; entry i has the
 * clustering key i × {@link #STEP}, as events have that come at a steady rate, so that the first n
 * bits cut it into shards of 2^(64 - n) / STEP entries however many there are.
 *
 * @param entries how many were written
 * @param deleted how many of the first of them were deleted again
 */
record MainKey(int entries, int deleted) {
  /** 2⁴⁰: room for 16 million entries. */
  static final long STEP = 1L << 40;

  private static final KeyFormat<Long> CLUSTERING = Keys.uint64();

  Bytes main() {
    return Keys.string().encode("entries-" + entries + "-deleted-" + deleted);
  }

  StoreKey key(int entry) {
    return StoreKey.of(main(), clustering(entry));
  }

  static Bytes clustering(int entry) {
    return CLUSTERING.encode(entry * STEP);
  }

  /** How many entries lie in one shard of so many bits. */
  static long shardEntries(int bits) {
    return (Long.MIN_VALUE >>> (bits - 1)) / STEP;
  }
}
