package dev.kvshift.model.shard;

import com.google.common.cache.Cache;
import com.google.common.cache.CacheBuilder;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Range.Direction;
import org.jspecify.annotations.Nullable;

/**
 * A cache of what this store has read or written in directories: rows, which need not be written
 * again, and the first and last shard of main keys, which can be read in parallel with the
 * directory. Limited in bytes; an evicted element costs one more write or one round trip. Safe for
 * use by many threads.
 *
 * <p>Elements are valid for one opening of a collection and therefore for one incarnation: after a
 * wipe, collections that were opened before it fail and must be opened again.
 */
final class KnownShards {
  private static final int OVERHEAD_BYTES = 160;

  /** The part of the memory that is for first and last shards: one in this many. */
  private static final int ENDS_SHARE = 4;

  private final Cache<Known, Boolean> known;
  private final Cache<End, Bytes> ends;

  KnownShards(long maxBytes) {
    ends =
        CacheBuilder.newBuilder()
            .maximumWeight(maxBytes / ENDS_SHARE)
            .<End, Bytes>weigher((key, value) -> key.main().size() + value.size() + OVERHEAD_BYTES)
            .build();
    known =
        CacheBuilder.newBuilder()
            .maximumWeight(maxBytes - maxBytes / ENDS_SHARE)
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

  /** Returns the shard that a read of a whole main key starts with; null if it is unknown. */
  @Nullable Bytes end(Object opening, Bytes main, Direction direction) {
    return ends.getIfPresent(new End(opening, main, direction));
  }

  /** Records the shard that a read of a whole main key starts with. */
  void setEnd(Object opening, Bytes main, Direction direction, Bytes shard) {
    End end = new End(opening, main, direction);
    if (!shard.equals(ends.getIfPresent(end))) {
      ends.put(end, shard);
    }
  }

  private record End(Object opening, Bytes main, Direction direction) {}

  private record Known(Object opening, Bytes main, Bytes shard) {}
}
