package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import java.util.Objects;

/**
 * The key of one row in three parts, ordered by main, shard and clustering part, each compared
 * unsigned. The shard is empty above the sharded store, and in stores that have no limit of main
 * keys. Immutable.
 */
public final class StoreKey implements Comparable<StoreKey> {
  private final Bytes main;
  private final Bytes shard;
  private final Bytes clustering;

  private StoreKey(Bytes main, Bytes shard, Bytes clustering) {
    this.main = Objects.requireNonNull(main, "main");
    this.shard = Objects.requireNonNull(shard, "shard");
    this.clustering = Objects.requireNonNull(clustering, "clustering");
  }

  /** Returns the key with an empty shard. */
  public static StoreKey of(Bytes main, Bytes clustering) {
    return new StoreKey(main, Bytes.empty(), clustering);
  }

  /**
   * Returns a key.
   *
   * @param main the part that a range read names
   * @param shard a prefix of the encoded clustering part, or empty
   * @param clustering the place within the shard
   */
  public static StoreKey of(Bytes main, Bytes shard, Bytes clustering) {
    return new StoreKey(main, shard, clustering);
  }

  /** Returns the part that a range read names. */
  public Bytes main() {
    return main;
  }

  /** Returns the prefix of the encoded clustering part that makes the shard, or empty. */
  public Bytes shard() {
    return shard;
  }

  /** Returns the place within the shard. */
  public Bytes clustering() {
    return clustering;
  }

  @Override
  public int compareTo(StoreKey other) {
    int order = main.compareTo(other.main);
    if (order == 0) {
      order = shard.compareTo(other.shard);
    }
    return order != 0 ? order : clustering.compareTo(other.clustering);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof StoreKey that
        && main.equals(that.main)
        && shard.equals(that.shard)
        && clustering.equals(that.clustering);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * main.hashCode() + shard.hashCode()) + clustering.hashCode();
  }

  @Override
  public String toString() {
    return "StoreKey[main=" + main + ", shard=" + shard + ", clustering=" + clustering + "]";
  }
}
