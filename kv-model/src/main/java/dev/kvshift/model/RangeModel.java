package dev.kvshift.model;

import dev.kvshift.KvStore;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.internal.encoding.Sharding;
import dev.kvshift.model.key.KeyFormat;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The model of a range collection, whose entries are identified within a main key by a clustering
 * key and read in its order. Declared by {@link Model#range}. Immutable.
 *
 * @param <M> the type of its main keys
 * @param <C> the type of its clustering keys
 * @param <V> the type of its values
 */
public final class RangeModel<M, C, V> implements Model {
  private final String name;
  private final KeyFormat<M> main;
  private final KeyFormat<C> clustering;
  private final Layout layout;
  private final ValueFormat<V> value;
  private final @Nullable Duration ttl;

  RangeModel(
      String name,
      KeyFormat<M> main,
      KeyFormat<C> clustering,
      Layout layout,
      ValueFormat<V> value,
      @Nullable Duration ttl) {
    this.name = name;
    this.main = main;
    this.clustering = clustering;
    this.layout = layout;
    this.value = value;
    this.ttl = ttl;
  }

  static Layout layout(Model.RangeKeys<?, ?> keys, ShardRule rule) {
    Layout layout = Layout.of(Shape.RANGE, rule, encoding(keys.clustering()));
    Sharding.of(layout);
    if (rule instanceof ShardRule.FirstParts first
        && first.parts() > keys.clustering().partCount()) {
      throw new KvException.Permanent(
          "collection "
              + keys.name()
              + ": clustering keys "
              + keys.clustering()
              + " have fewer than "
              + first.parts()
              + " parts to shard by: shard by fewer");
    }
    return layout;
  }

  static int encoding(KeyFormat<?> format) {
    return format.partCount() == 0 ? 0 : Layout.CURRENT_ENCODING;
  }

  /**
   * Returns the model with a default TTL, which a single write can override.
   *
   * @param ttl from 1 ms to ten years
   */
  public RangeModel<M, C, V> expiringAfter(Duration ttl) {
    return new RangeModel<>(name, main, clustering, layout, value, TypedKeys.requireTtl(ttl));
  }

  /**
   * Returns the model of new entries, which came through a {@linkplain
   * dev.kvshift.model.mapping.Mapping mapping} and are used as they are from now on: it opens the
   * collection by a connection string without the mapping.
   *
   * @param mapping the mapping's name
   * @throws IllegalArgumentException if no mapping may have it
   */
  public RangeModel<M, C, V> mappedBy(String mapping) {
    return new RangeModel<>(name, main, clustering, layout.withMapping(mapping), value, ttl);
  }

  /**
   * Opens the collection, and creates it if it does not exist and the store allows that.
   *
   * @throws KvException.Permanent if the store has it with another layout
   */
  public TypedRange<M, C, V> open(KvStore store) {
    return new TypedRange<>(this, store.collection(name, layout));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Layout layout() {
    return layout;
  }

  @Override
  public String describeKeys() {
    return "main " + main + ", clustering " + clustering;
  }

  /** Returns the format of its main keys. */
  public KeyFormat<M> main() {
    return main;
  }

  /** Returns the format of its clustering keys. */
  public KeyFormat<C> clustering() {
    return clustering;
  }

  /** Returns the format of its values. */
  public ValueFormat<V> value() {
    return value;
  }

  /** Returns the default TTL of entries; null if they do not expire. */
  public @Nullable Duration ttl() {
    return ttl;
  }

  @Override
  public String toString() {
    return name + ": " + layout + ", " + describeKeys();
  }
}
