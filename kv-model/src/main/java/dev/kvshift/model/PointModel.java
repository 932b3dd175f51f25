package dev.kvshift.model;

import dev.kvshift.KvStore;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.key.KeyFormat;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A collection that is read one key at a time. Declared by {@link Model#point}. Immutable.
 *
 * @param <K> the type of its keys
 * @param <V> the type of its values
 */
public final class PointModel<K, V> implements Model {
  private final String name;
  private final KeyFormat<K> key;
  private final ValueFormat<V> value;
  private final @Nullable Duration timeToLive;

  PointModel(String name, KeyFormat<K> key, ValueFormat<V> value, @Nullable Duration timeToLive) {
    this.name = name;
    this.key = key;
    this.value = value;
    this.timeToLive = timeToLive;
  }

  /**
   * Returns the model whose entries expire where the write does not say otherwise.
   *
   * @param timeToLive from 1 ms to ten years
   */
  public PointModel<K, V> expiringAfter(Duration timeToLive) {
    return new PointModel<>(name, key, value, TypedKeys.requireTimeToLive(timeToLive));
  }

  /**
   * Opens the collection, creating it where the store allows.
   *
   * @throws dev.kvshift.api.KvException.Permanent where the store keeps it with another layout
   */
  public TypedPoint<K, V> open(KvStore store) {
    return new TypedPoint<>(this, store.collection(name, layout()));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Layout layout() {
    return Layout.of(Shape.POINT, ShardRule.none(), RangeModel.encoding(key));
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

  /** Returns how long entries live where the write does not say; null for ever. */
  public @Nullable Duration timeToLive() {
    return timeToLive;
  }

  @Override
  public String toString() {
    return name + ": " + layout() + ", " + describeKeys();
  }
}
