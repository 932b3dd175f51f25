package dev.kvshift.model;

import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.key.KeyFormat;
import dev.kvshift.model.key.Keys;
import dev.kvshift.spi.CollectionRecord;

/**
 * The declaration of a collection: its name, keys, shape, shard rule and values. Declared once, as
 * a constant, and opened on any store:
 *
 * <pre>{@code
 * static final RangeModel<String, FileKey, Report> PACKAGE_FILES =
 *     Model.range("package-files")
 *         .main(string())
 *         .clustering(composite(string(), bytes()).as(FileKey::new, FileKey::path, FileKey::hash))
 *         .shardBy(firstBits(8))
 *         .value(protobuf(Report.parser()));
 * }</pre>
 *
 * <p>Immutable. Name, keys and shard rule are stored with the data; to change one is a migration.
 */
public sealed interface Model permits PointModel, RangeModel {
  /** Returns the collection's name. */
  String name();

  /** Returns the layout that stores keep with the collection. */
  Layout layout();

  /** Returns the keys in words, such as {@code main (string), clustering (int64 descending)}. */
  String describeKeys();

  /**
   * Starts the declaration of a point collection, which is read one key at a time.
   *
   * @param name a letter a-z, followed by at most 31 of a-z, 0-9 and either '-' or '_'; does not
   *     end in {@code _shards}
   * @throws dev.kvshift.api.KvException.Permanent if the name has another form
   */
  static PointName point(String name) {
    return new PointName(CollectionRecord.requireOwnName(name));
  }

  /**
   * Starts the declaration of a range collection, which is read by ranges of a main key.
   *
   * @param name a letter a-z, followed by at most 31 of a-z, 0-9 and either '-' or '_'; does not
   *     end in {@code _shards}
   * @throws dev.kvshift.api.KvException.Permanent if the name has another form
   */
  static RangeName range(String name) {
    return new RangeName(CollectionRecord.requireOwnName(name));
  }

  /** A point collection that needs keys. */
  record PointName(String name) {
    /** Declares the keys. */
    public <K> PointKey<K> key(KeyFormat<K> key) {
      return new PointKey<>(name, key);
    }
  }

  /** A point collection that needs values. */
  record PointKey<K>(String name, KeyFormat<K> key) {
    /** Declares the values, which completes the model. */
    public <V> PointModel<K, V> value(ValueFormat<V> value) {
      return new PointModel<>(name, key, value);
    }
  }

  /** A range collection that needs main keys. */
  record RangeName(String name) {
    /** Declares the main keys, each of which has a range of its own. */
    public <M> RangeMain<M> main(KeyFormat<M> main) {
      return new RangeMain<>(name, main);
    }
  }

  /** A range collection that needs clustering keys. */
  record RangeMain<M>(String name, KeyFormat<M> main) {
    /** Declares the clustering keys, which identify and order the entries of a main key. */
    public <C> RangeKeys<M, C> clustering(KeyFormat<C> clustering) {
      return new RangeKeys<>(name, main, clustering);
    }
  }

  /** A range collection that needs a shard rule. */
  record RangeKeys<M, C>(String name, KeyFormat<M> main, KeyFormat<C> clustering) {
    /**
     * Declares how the entries of a main key are split into partitions.
     *
     * @param rule from {@link Keys#firstBits}, {@link Keys#firstParts} or {@link Keys#unsharded}
     * @throws dev.kvshift.api.KvException.Permanent if the rule does not fit the keys
     */
    public RangeShards<M, C> shardBy(ShardRule rule) {
      return RangeShards.of(this, rule);
    }
  }

  /** A range collection that needs values. */
  record RangeShards<M, C>(RangeKeys<M, C> keys, Layout layout) {
    static <M, C> RangeShards<M, C> of(RangeKeys<M, C> keys, ShardRule rule) {
      return new RangeShards<>(keys, RangeModel.layout(keys, rule));
    }

    /** Declares the values, which completes the model. */
    public <V> RangeModel<M, C, V> value(ValueFormat<V> value) {
      return new RangeModel<>(keys.name(), keys.main(), keys.clustering(), layout, value, null);
    }
  }
}
