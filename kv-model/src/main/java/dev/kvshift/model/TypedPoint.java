package dev.kvshift.model;

import dev.kvshift.KvCollection;
import dev.kvshift.api.Key;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Futures;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * An open point collection in the service's own types. Safe for use by many threads. Closed with
 * its store.
 *
 * <p>Operations fail as those of {@link KvCollection} do, with the same state afterwards. A key or
 * value that the model cannot encode fails with {@link
 * dev.kvshift.api.KvException.InvalidArgument}, a stored one that it cannot decode with {@link
 * dev.kvshift.api.KvException.Permanent}. A multi-key request has the limit of {@link KvCollection}
 * and returns an outcome for each key; it is not atomic.
 *
 * @param <K> the type of its keys
 * @param <V> the type of its values
 */
public final class TypedPoint<K, V> {
  private final PointModel<K, V> model;
  private final TypedKeys<K, V> keys;
  private final Async async = new Async();

  TypedPoint(PointModel<K, V> model, KvCollection collection) {
    this.model = model;
    this.keys = new TypedKeys<>(collection, this::encode, model.value(), model.ttl());
  }

  /** Returns the model of the collection. */
  public PointModel<K, V> model() {
    return model;
  }

  /** Returns the asynchronous form of the operations. */
  public Async async() {
    return async;
  }

  /** Reads the value of a key; empty if it has none, or if it was deleted or has expired. */
  public Optional<V> get(K key) {
    return get(key, ReadOptions.none());
  }

  /** Reads the value of a key with options; empty if it has none. */
  public Optional<V> get(K key, ReadOptions options) {
    return keys.get(key, options);
  }

  /** Writes a value, replacing the one that the key has. */
  public void put(K key, V value) {
    put(key, value, WriteOptions.none());
  }

  /** Writes a value with options, whose TTL replaces the model's. */
  public void put(K key, V value, WriteOptions options) {
    keys.put(key, value, options);
  }

  /** Deletes a key. Succeeds if it does not exist. */
  public void delete(K key) {
    delete(key, WriteOptions.none());
  }

  /** Deletes a key with options, such as a lock. */
  public void delete(K key, WriteOptions options) {
    keys.delete(key, options);
  }

  /** Reads several keys and returns the outcome of each. */
  public Map<K, Outcome<Optional<V>>> getAll(Collection<K> several) {
    return getAll(several, ReadOptions.none());
  }

  /** Reads several keys with options and returns the outcome of each. */
  public Map<K, Outcome<Optional<V>>> getAll(Collection<K> several, ReadOptions options) {
    return keys.getAll(several, options);
  }

  /** Writes several entries and returns the outcome of each. */
  public Map<K, Outcome<@Nullable Void>> putAll(Map<K, V> entries) {
    return putAll(entries, WriteOptions.none());
  }

  /** Writes several entries with options and returns the outcome of each. */
  public Map<K, Outcome<@Nullable Void>> putAll(Map<K, V> entries, WriteOptions options) {
    return keys.putAll(entries, options);
  }

  /** Deletes several keys and returns the outcome of each. */
  public Map<K, Outcome<@Nullable Void>> deleteAll(Collection<K> several) {
    return deleteAll(several, WriteOptions.none());
  }

  /** Deletes several keys with options and returns the outcome of each. */
  public Map<K, Outcome<@Nullable Void>> deleteAll(Collection<K> several, WriteOptions options) {
    return keys.deleteAll(several, options);
  }

  private Key encode(K key) {
    return Key.of(model.key().encode(key));
  }

  /** The asynchronous operations; see {@link KvCollection.Async}. */
  public final class Async {
    private Async() {}

    /** See {@link TypedPoint#get(Object)}. */
    public CompletionStage<Optional<V>> get(K key) {
      return get(key, ReadOptions.none());
    }

    /** See {@link TypedPoint#get(Object, ReadOptions)}. */
    public CompletionStage<Optional<V>> get(K key, ReadOptions options) {
      return Futures.start(() -> keys.getAsync(key, options));
    }

    /** See {@link TypedPoint#put(Object, Object)}. */
    public CompletionStage<@Nullable Void> put(K key, V value) {
      return put(key, value, WriteOptions.none());
    }

    /** See {@link TypedPoint#put(Object, Object, WriteOptions)}. */
    public CompletionStage<@Nullable Void> put(K key, V value, WriteOptions options) {
      return Futures.start(() -> keys.putAsync(key, value, options));
    }

    /** See {@link TypedPoint#delete(Object)}. */
    public CompletionStage<@Nullable Void> delete(K key) {
      return delete(key, WriteOptions.none());
    }

    /** See {@link TypedPoint#delete(Object, WriteOptions)}. */
    public CompletionStage<@Nullable Void> delete(K key, WriteOptions options) {
      return Futures.start(() -> keys.deleteAsync(key, options));
    }

    /** See {@link TypedPoint#getAll(Collection)}. */
    public CompletionStage<Map<K, Outcome<Optional<V>>>> getAll(Collection<K> several) {
      return getAll(several, ReadOptions.none());
    }

    /** See {@link TypedPoint#getAll(Collection, ReadOptions)}. */
    public CompletionStage<Map<K, Outcome<Optional<V>>>> getAll(
        Collection<K> several, ReadOptions options) {
      return Futures.start(() -> keys.getAllAsync(several, options));
    }

    /** See {@link TypedPoint#putAll(Map)}. */
    public CompletionStage<Map<K, Outcome<@Nullable Void>>> putAll(Map<K, V> entries) {
      return putAll(entries, WriteOptions.none());
    }

    /** See {@link TypedPoint#putAll(Map, WriteOptions)}. */
    public CompletionStage<Map<K, Outcome<@Nullable Void>>> putAll(
        Map<K, V> entries, WriteOptions options) {
      return Futures.start(() -> keys.putAllAsync(entries, options));
    }

    /** See {@link TypedPoint#deleteAll(Collection)}. */
    public CompletionStage<Map<K, Outcome<@Nullable Void>>> deleteAll(Collection<K> several) {
      return deleteAll(several, WriteOptions.none());
    }

    /** See {@link TypedPoint#deleteAll(Collection, WriteOptions)}. */
    public CompletionStage<Map<K, Outcome<@Nullable Void>>> deleteAll(
        Collection<K> several, WriteOptions options) {
      return Futures.start(() -> keys.deleteAllAsync(several, options));
    }
  }
}
