package dev.kvshift.bench.partition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Range;
import dev.kvshift.model.key.KeyFormat;
import dev.kvshift.model.key.Keys;
import dev.kvshift.spi.StoreKey;

/**
 * One main key of the partition-size measurement. Entry i has the clustering key i × {@link #STEP},
 * like events that arrive at a steady rate, so that a prefix of n bits divides the entries into
 * shards of 2^(64 - n) / STEP, however many there are.
 *
 * @param entries how many entries were written
 * @param deleted how many of the first entries were then deleted
 */
record MainKey(int entries, int deleted) {
  /** 2⁴⁰: room for 16 million entries. */
  static final long STEP = 1L << 40;

  private static final KeyFormat<Long> CLUSTERING = Keys.uint64();

  /** The places in a main key where a page begins. */
  enum Place {
    /** At the first live entry. */
    START,
    /** Halfway between the others. */
    MIDDLE,
    /** The length of a page before the end, so that the last entry ends it. */
    END,
    /** At the very start of the main key, in front of the deletes. */
    ACROSS
  }

  Bytes main() {
    return Keys.string().encode("entries-" + entries + "-deleted-" + deleted);
  }

  StoreKey key(int entry) {
    return StoreKey.of(main(), clustering(entry));
  }

  /** Returns the number of the first live entry of a page. */
  int entry(Place place, int pageEntries) {
    int last = Math.max(deleted, entries - pageEntries);
    return switch (place) {
      case START, ACROSS -> deleted;
      case MIDDLE -> deleted + (last - deleted) / 2;
      case END -> last;
    };
  }

  /** Returns the range that a page reads from. */
  Range range(Place place, int pageEntries) {
    boolean all = place == Place.ACROSS || (place == Place.START && deleted == 0);
    return all ? Range.all() : Range.from(clustering(entry(place, pageEntries)));
  }

  static Bytes clustering(int entry) {
    return CLUSTERING.encode(entry * STEP);
  }

  /** Returns the number of entries of a shard with a prefix of this length. */
  static long shardEntries(int bits) {
    return (Long.MIN_VALUE >>> (bits - 1)) / STEP;
  }
}
