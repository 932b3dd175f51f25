package dev.kvshift.model;

import com.google.common.cache.Cache;
import com.google.common.cache.CacheBuilder;
import dev.kvshift.api.Bytes;

/**
 * Which directory rows this store has seen, so that they need not be written again. Bounded in
 * bytes; forgetting one costs a write. Safe for use by many threads.
 *
 * <p>A row is known within one opening of its collection, and with that within one incarnation: a
 * collection that was opened before a wipe fails its writes and is opened anew.
 */
final class KnownShards {
  private static final int OVERHEAD_BYTES = 160;

  private final Cache<Known, Boolean> known;

  KnownShards(long maxBytes) {
    known =
        CacheBuilder.newBuilder()
            .maximumWeight(maxBytes)
            .<Known, Boolean>weigher(
                (key, value) -> key.main().size() + key.shard().size() + OVERHEAD_BYTES)
            .build();
  }

  boolean contains(Object opening, Bytes main, Bytes shard) {
    return known.getIfPresent(new Known(opening, main, shard)) != null;
  }

  void add(Object opening, Bytes main, Bytes shard) {
    known.put(new Known(opening, main, shard), Boolean.TRUE);
  }

  private record Known(Object opening, Bytes main, Bytes shard) {}
}
