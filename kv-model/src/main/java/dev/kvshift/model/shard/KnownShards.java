package dev.kvshift.model.shard;

import com.google.common.cache.Cache;
import com.google.common.cache.CacheBuilder;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Range.Direction;
import org.jspecify.annotations.Nullable;

/**
 * Which directory rows this store has seen, so that they need not be written again, and with which
 * shard main keys begin and end, so that it can be read together with the directory. Bounded in
 * bytes; forgetting costs a write or a wait. Safe for use by many threads.
 *
 * <p>A row is known within one opening of its collection, and with that within one incarnation: a
 * collection that was opened before a wipe fails its writes and is opened anew.
 */
final class KnownShards {
  private static final int OVERHEAD_BYTES = 160;

  /** The share of the memory that goes to the ends of main keys. */
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

  /** Returns the shard that a walk over all of a main key began with, as far as is known. */
  @Nullable Bytes end(Object opening, Bytes main, Direction direction) {
    return ends.getIfPresent(new End(opening, main, direction));
  }

  /** Notes the shard that a walk over all of a main key has begun with. */
  void setEnd(Object opening, Bytes main, Direction direction, Bytes shard) {
    End end = new End(opening, main, direction);
    if (!shard.equals(ends.getIfPresent(end))) {
      ends.put(end, shard);
    }
  }

  private record End(Object opening, Bytes main, Direction direction) {}

  private record Known(Object opening, Bytes main, Bytes shard) {}
}
