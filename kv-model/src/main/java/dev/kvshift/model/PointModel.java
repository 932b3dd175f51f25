package dev.kvshift.model;

import dev.kvshift.KvStore;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.key.KeyFormat;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The model of a point collection, which is read one key at a time. Declared by {@link
 * Model#point}. Immutable.
 *
 * @param <K> the type of its keys
 * @param <V> the type of its values
 */
public final class PointModel<K, V> implements Model {
  private final String name;
  private final KeyFormat<K> key;
  private final Layout layout;
  private final ValueFormat<V> value;
  private final @Nullable Duration ttl;

  PointModel(String name, KeyFormat<K> key, ValueFormat<V> value) {
    this(
        name, key, Layout.of(Shape.POINT, ShardRule.none(), RangeModel.encoding(key)), value, null);
  }

  private PointModel(
      String name, KeyFormat<K> key, Layout layout, ValueFormat<V> value, @Nullable Duration ttl) {
    this.name = name;
    this.key = key;
    this.layout = layout;
    this.value = value;
    this.ttl = ttl;
  }

  /**
   * Returns the model with a default TTL, which a write can replace.
   *
   * @param ttl from 1 ms to ten years
   */
  public PointModel<K, V> expiringAfter(Duration ttl) {
    return new PointModel<>(name, key, layout, value, TypedKeys.requireTtl(ttl));
  }

  /**
   * Returns the model of new entries, which came through a {@linkplain
   * dev.kvshift.model.mapping.Mapping mapping} and are used as they are from now on: it opens the
   * collection by a connection string without the mapping.
   *
   * @param mapping the mapping's name
   * @throws IllegalArgumentException if no mapping may have it
   */
  public PointModel<K, V> mappedBy(String mapping) {
    return new PointModel<>(name, key, layout.withMapping(mapping), value, ttl);
  }

  /**
   * Opens the collection, and creates it if it does not exist and the store allows that.
   *
   * @throws dev.kvshift.api.KvException.Permanent if the store has it with another layout
   */
  public TypedPoint<K, V> open(KvStore store) {
    return new TypedPoint<>(this, store.collection(name, layout));
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
    return "key " + key;
  }

  /** Returns the format of its keys. */
  public KeyFormat<K> key() {
    return key;
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
