package dev.kvshift.model;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvCollection;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.WriteOptions;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * An open point collection in the service's own types. Failures are those of {@link KvCollection};
 * a key or value that does not fit the model fails with {@link
 * dev.kvshift.api.KvException.Permanent}. Safe for use by many threads; closed with its store.
 *
 * @param <K> the type of its keys
 * @param <V> the type of its values
 */
public final class TypedPoint<K, V> {
  private final PointModel<K, V> model;
  private final KvCollection collection;
  private final TypedWrites<V> values;
  private final Async async = new Async();

  TypedPoint(PointModel<K, V> model, KvCollection collection) {
    this.model = model;
    this.collection = collection;
    this.values = new TypedWrites<>(model.name(), model.value(), model.timeToLive());
  }

  /** Returns what the collection was opened by. */
  public PointModel<K, V> model() {
    return model;
  }

  /** Returns the same operations without waiting. */
  public Async async() {
    return async;
  }

  /** Reads the value of a key; empty where there is none, or where it was deleted or expired. */
  public Optional<V> get(K key) {
    Key encoded = encode(key);
    return decode(encoded, collection.get(encoded));
  }

  /** Writes a value, in place of any that the key has. */
  public void put(K key, V value) {
    put(key, value, WriteOptions.none());
  }

  /** Writes a value with options; a time to live in them replaces the model's. */
  public void put(K key, V value, WriteOptions options) {
    collection.put(encode(key), values.encode(value), values.withDefaults(options));
  }

  /** Deletes a key; deleting what is not there succeeds. */
  public void delete(K key) {
    collection.delete(encode(key));
  }

  /** Deletes a key under a lock. */
  public void delete(K key, WriteOptions options) {
    collection.delete(encode(key), options);
  }

  /** Reads several keys at once; each has its own outcome. */
  public Map<K, Outcome<Optional<V>>> getAll(Collection<K> keys) {
    Map<Key, K> encoded = encodeAll(keys);
    return TypedOutcomes.of(encoded, collection.getAll(encoded.keySet()), this::decode);
  }

  /** Writes several keys at once; each has its own outcome. */
  public Map<K, Outcome<Optional<Void>>> putAll(Map<K, V> entries) {
    return putAll(entries, WriteOptions.none());
  }

  /** Writes several keys at once with options; each has its own outcome. */
  public Map<K, Outcome<Optional<Void>>> putAll(Map<K, V> entries, WriteOptions options) {
    Map<Key, K> keys = new LinkedHashMap<>();
    Map<Key, Bytes> encoded = new LinkedHashMap<>();
    entries.forEach(
        (key, value) -> {
          Key bytes = encode(key);
          keys.put(bytes, key);
          encoded.put(bytes, values.encode(value));
        });
    return TypedOutcomes.of(
        keys, collection.putAll(encoded, values.withDefaults(options)), (key, nothing) -> nothing);
  }

  private Key encode(K key) {
    return Key.of(model.key().encode(key));
  }

  private Map<Key, K> encodeAll(Collection<K> keys) {
    Map<Key, K> encoded = new LinkedHashMap<>();
    keys.forEach(key -> encoded.put(encode(key), key));
    return encoded;
  }

  private Optional<V> decode(Key key, Optional<Bytes> value) {
    return value.isEmpty() ? Optional.empty() : Optional.of(values.decode(key, value.get()));
  }

  /** The operations without waiting; see {@link KvCollection.Async}. */
  public final class Async {
    private Async() {}

    /** See {@link TypedPoint#get(Object)}. */
    public CompletionStage<Optional<V>> get(K key) {
      Key encoded = encode(key);
      return collection.async().get(encoded).thenApply(value -> decode(encoded, value));
    }

    /** See {@link TypedPoint#put(Object, Object, WriteOptions)}. */
    public CompletionStage<Void> put(K key, V value, WriteOptions options) {
      return collection
          .async()
          .put(encode(key), values.encode(value), values.withDefaults(options));
    }

    /** See {@link TypedPoint#delete(Object, WriteOptions)}. */
    public CompletionStage<Void> delete(K key, WriteOptions options) {
      return collection.async().delete(encode(key), options);
    }
  }
}
