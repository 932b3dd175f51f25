package dev.kvshift.model;

import dev.kvshift.KvCollection;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.api.KvObserver.Operation;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Futures;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The common part of typed point and range collections: converts keys, values and options on the
 * way to the collection, and outcomes on the way back. Safe for use by many threads.
 *
 * @param <K> the type of whole keys
 */
record TypedKeys<K, V>(
    KvCollection collection,
    Function<K, Key> encodeKey,
    ValueFormat<V> format,
    @Nullable Duration ttl) {

  static Duration requireTtl(Duration ttl) {
    return Objects.requireNonNull(WriteOptions.ttl(ttl).ttl());
  }

  Optional<V> get(K key, ReadOptions options) {
    Key encoded = encode(Operation.GET, key);
    return decode(encoded, collection.get(encoded, options));
  }

  CompletionStage<Optional<V>> getAsync(K key, ReadOptions options) {
    Key encoded = encode(Operation.GET, key);
    return Futures.map(collection.async().get(encoded, options), value -> decode(encoded, value));
  }

  void put(K key, V value, WriteOptions options) {
    Write write = write(key, value, options);
    collection.put(write.key, write.value, write.options);
  }

  CompletionStage<@Nullable Void> putAsync(K key, V value, WriteOptions options) {
    Write write = write(key, value, options);
    return collection.async().put(write.key, write.value, write.options);
  }

  void delete(K key, WriteOptions options) {
    collection.delete(encode(Operation.DELETE, key), options);
  }

  CompletionStage<@Nullable Void> deleteAsync(K key, WriteOptions options) {
    return collection.async().delete(encode(Operation.DELETE, key), options);
  }

  Map<K, Outcome<Optional<V>>> getAll(Collection<K> keys, ReadOptions options) {
    Map<Key, K> encoded = encodeAll(Operation.GET, keys);
    return decodeAll(encoded, collection.getAll(encoded.keySet(), options));
  }

  CompletionStage<Map<K, Outcome<Optional<V>>>> getAllAsync(
      Collection<K> keys, ReadOptions options) {
    Map<Key, K> encoded = encodeAll(Operation.GET, keys);
    return Futures.map(
        collection.async().getAll(encoded.keySet(), options),
        outcomes -> decodeAll(encoded, outcomes));
  }

  Map<K, Outcome<@Nullable Void>> putAll(Map<K, V> entries, WriteOptions options) {
    Writes<K> writes = writes(entries, options);
    return named(writes.keys, collection.putAll(writes.entries, writes.options));
  }

  CompletionStage<Map<K, Outcome<@Nullable Void>>> putAllAsync(
      Map<K, V> entries, WriteOptions options) {
    Writes<K> writes = writes(entries, options);
    return Futures.map(
        collection.async().putAll(writes.entries, writes.options),
        outcomes -> named(writes.keys, outcomes));
  }

  Map<K, Outcome<@Nullable Void>> deleteAll(Collection<K> keys, WriteOptions options) {
    Map<Key, K> encoded = encodeAll(Operation.DELETE, keys);
    return named(encoded, collection.deleteAll(encoded.keySet(), options));
  }

  CompletionStage<Map<K, Outcome<@Nullable Void>>> deleteAllAsync(
      Collection<K> keys, WriteOptions options) {
    Map<Key, K> encoded = encodeAll(Operation.DELETE, keys);
    return Futures.map(
        collection.async().deleteAll(encoded.keySet(), options),
        outcomes -> named(encoded, outcomes));
  }

  /** Evaluates arguments. The store's observer sees a refusal as a failure of the operation. */
  <T> T counted(Operation operation, Supplier<T> arguments) {
    try {
      return arguments.get();
    } catch (KvException e) {
      collection.refused(operation, e);
      throw e;
    }
  }

  private Key encode(Operation operation, K key) {
    return counted(operation, () -> encodeKey.apply(key));
  }

  private record Write(Key key, Bytes value, WriteOptions options) {}

  private Write write(K key, V value, WriteOptions options) {
    return counted(
        Operation.PUT, () -> new Write(encodeKey.apply(key), encode(value), withDefaults(options)));
  }

  private record Writes<K>(Map<Key, K> keys, Map<Key, Bytes> entries, WriteOptions options) {}

  private Writes<K> writes(Map<K, V> entries, WriteOptions options) {
    Map<Key, K> keys =
        encodeAll(
            Operation.PUT,
            counted(
                Operation.PUT, () -> InvalidArgument.requireNonNull(entries, "entries").keySet()));
    return counted(
        Operation.PUT, () -> new Writes<>(keys, encodeAll(keys, entries), withDefaults(options)));
  }

  V decode(Key key, Bytes value) {
    try {
      return format.decode(value);
    } catch (RuntimeException e) {
      throw new KvException.Permanent(
          described(key)
              + ": its value of "
              + value.size()
              + " bytes is not what the model declares: check the model",
          e);
    }
  }

  /** Returns the decoder's result or its error. */
  <T> Outcome<T> decoded(Supplier<T> decoder) {
    try {
      return Outcome.ok(decoder.get());
    } catch (KvException e) {
      return Outcome.failed(e);
    }
  }

  String described(Key key) {
    return "collection "
        + collection.name()
        + ", main "
        + key.main()
        + ", clustering "
        + key.clustering();
  }

  private Optional<V> decode(Key key, Optional<Bytes> value) {
    return value.isEmpty() ? Optional.empty() : Optional.of(decode(key, value.get()));
  }

  private Bytes encode(V value) {
    InvalidArgument.requireNonNull(value, "value");
    try {
      return format.encode(value);
    } catch (RuntimeException e) {
      throw new InvalidArgument(
          "collection " + collection.name() + ": the model cannot encode a value: fix the value",
          e);
    }
  }

  /** Returns the options with the model's TTL unless they have their own. */
  private WriteOptions withDefaults(WriteOptions options) {
    InvalidArgument.requireNonNull(options, "options");
    return ttl == null || options.ttl() != null ? options : options.withTtl(ttl);
  }

  private Map<Key, K> encodeAll(Operation operation, Collection<K> keys) {
    Map<Key, K> encoded = new LinkedHashMap<>();
    return counted(
        operation,
        () -> {
          for (K key : InvalidArgument.requireNonNull(keys, "keys")) {
            encoded.put(
                encodeKey.apply(InvalidArgument.requireNonNull(key, "one of the keys")), key);
          }
          return encoded;
        });
  }

  private Map<Key, Bytes> encodeAll(Map<Key, K> keys, Map<K, V> entries) {
    Map<Key, Bytes> encoded = new LinkedHashMap<>();
    keys.forEach((bytes, key) -> encoded.put(bytes, encode(entries.get(key))));
    return encoded;
  }

  private Map<K, Outcome<Optional<V>>> decodeAll(
      Map<Key, K> keys, Map<Key, Outcome<Optional<Bytes>>> outcomes) {
    Map<K, Outcome<Optional<V>>> typed = new LinkedHashMap<>();
    keys.forEach(
        (bytes, key) -> {
          try {
            Optional<Bytes> value = Objects.requireNonNull(outcomes.get(bytes)).orThrow();
            typed.put(key, Outcome.ok(decode(bytes, value)));
          } catch (KvException e) {
            typed.put(key, Outcome.failed(e));
          }
        });
    return typed;
  }

  private static <K, T extends @Nullable Object> Map<K, Outcome<T>> named(
      Map<Key, K> keys, Map<Key, Outcome<T>> outcomes) {
    Map<K, Outcome<T>> typed = new LinkedHashMap<>();
    keys.forEach((bytes, key) -> typed.put(key, Objects.requireNonNull(outcomes.get(bytes))));
    return typed;
  }
}
