package dev.kvshift.model;

import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.key.KeyFormat;
import dev.kvshift.model.key.Keys;
import dev.kvshift.spi.CollectionRecord;

/**
 * What a collection is: its name, keys, shape, shard rule and values. Declared once, as a constant,
 * and opened on any store:
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
 * <p>Immutable. Name, keys and shard rule are kept with the data: changing one is a migration.
 */
public sealed interface Model permits PointModel, RangeModel {
  /** Returns the collection's name. */
  String name();

  /** Returns the collection's layout, as stores keep it. */
  Layout layout();

  /** Returns the keys and their order in words, such as {@code main (string), …}. */
  String describeKeys();

  /**
   * Begins the declaration of a collection that is read one key at a time.
   *
   * @param name a letter a-z, then at most 31 of a-z, 0-9 and '-'
   */
  static PointName point(String name) {
    return new PointName(CollectionRecord.requireName(name));
  }

  /**
   * Begins the declaration of a collection that is read by ranges of a main key.
   *
   * @param name a letter a-z, then at most 31 of a-z, 0-9 and '-'
   */
  static RangeName range(String name) {
    return new RangeName(CollectionRecord.requireName(name));
  }

  /** A point collection with a name. */
  record PointName(String name) {
    /** Declares its keys. */
    public <K> PointKey<K> key(KeyFormat<K> key) {
      return new PointKey<>(name, key);
    }
  }

  /** A point collection with keys. */
  record PointKey<K>(String name, KeyFormat<K> key) {
    /** Declares its values, which completes the model. */
    public <V> PointModel<K, V> value(ValueFormat<V> value) {
      return new PointModel<>(name, key, value, null);
    }
  }

  /** A range collection with a name. */
  record RangeName(String name) {
    /** Declares its main keys, each of which has a range of its own. */
    public <M> RangeMain<M> main(KeyFormat<M> main) {
      return new RangeMain<>(name, main);
    }
  }

  /** A range collection with main keys. */
  record RangeMain<M>(String name, KeyFormat<M> main) {
    /** Declares by what the entries of a main key are told apart and ordered. */
    public <C> RangeKeys<M, C> clustering(KeyFormat<C> clustering) {
      return new RangeKeys<>(name, main, clustering);
    }
  }

  /** A range collection with main and clustering keys. */
  record RangeKeys<M, C>(String name, KeyFormat<M> main, KeyFormat<C> clustering) {
    /**
     * Declares how the entries of a main key are spread over partitions; see {@link
     * Keys#firstBits}, {@link Keys#firstParts} and {@link Keys#unsharded}.
     *
     * @throws dev.kvshift.api.KvException.Permanent where the rule does not fit the keys
     */
    public RangeShards<M, C> shardBy(ShardRule rule) {
      return RangeShards.of(this, rule);
    }
  }

  /** A range collection with keys and a shard rule. */
  record RangeShards<M, C>(RangeKeys<M, C> keys, Layout layout) {
    static <M, C> RangeShards<M, C> of(RangeKeys<M, C> keys, ShardRule rule) {
      return new RangeShards<>(keys, RangeModel.layout(keys, rule));
    }

    /** Declares its values, which completes the model. */
    public <V> RangeModel<M, C, V> value(ValueFormat<V> value) {
      return new RangeModel<>(keys.name(), keys.main(), keys.clustering(), layout, value, null);
    }
  }
}
