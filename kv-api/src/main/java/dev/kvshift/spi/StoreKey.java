package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import java.util.Objects;

/**
 * The key of one row in three parts. Above the sharded store, and in stores that cope with large
 * main keys, the shard is empty. Ordered by main, shard, clustering, each unsigned. Immutable.
 *
 * @param main what a range read names
 * @param shard a prefix of the encoded clustering part, or empty
 * @param clustering the place within the shard
 */
public record StoreKey(Bytes main, Bytes shard, Bytes clustering) implements Comparable<StoreKey> {
  public StoreKey {
    Objects.requireNonNull(main, "main");
    Objects.requireNonNull(shard, "shard");
    Objects.requireNonNull(clustering, "clustering");
  }

  /** Returns the key with an empty shard. */
  public static StoreKey of(Bytes main, Bytes clustering) {
    return new StoreKey(main, Bytes.empty(), clustering);
  }

  @Override
  public int compareTo(StoreKey other) {
    int order = main.compareTo(other.main);
    if (order == 0) {
      order = shard.compareTo(other.shard);
    }
    return order != 0 ? order : clustering.compareTo(other.clustering);
  }
}
