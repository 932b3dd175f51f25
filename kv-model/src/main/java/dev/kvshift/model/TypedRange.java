package dev.kvshift.model;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvCollection;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.RangePage;
import dev.kvshift.api.WriteOptions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * An open range collection in the service's own types. Failures are those of {@link KvCollection};
 * a key or value that does not fit the model fails with {@link
 * dev.kvshift.api.KvException.Permanent}. Safe for use by many threads; closed with its store.
 *
 * @param <M> the type of its main keys
 * @param <C> the type of its clustering keys
 * @param <V> the type of its values
 */
public final class TypedRange<M, C, V> {
  private final RangeModel<M, C, V> model;
  private final KvCollection collection;
  private final TypedWrites<V> values;
  private final Async async = new Async();

  TypedRange(RangeModel<M, C, V> model, KvCollection collection) {
    this.model = model;
    this.collection = collection;
    this.values = new TypedWrites<>(model.name(), model.value(), model.timeToLive());
  }

  /** Returns what the collection was opened by. */
  public RangeModel<M, C, V> model() {
    return model;
  }

  /** Returns the same operations without waiting. */
  public Async async() {
    return async;
  }

  /** Reads the value of a key; empty where there is none, or where it was deleted or expired. */
  public Optional<V> get(M main, C clustering) {
    Key key = encode(main, clustering);
    return decode(key, collection.get(key));
  }

  /** Writes a value, in place of any that the key has. */
  public void put(M main, C clustering, V value) {
    put(main, clustering, value, WriteOptions.none());
  }

  /** Writes a value with options; a time to live in them replaces the model's. */
  public void put(M main, C clustering, V value, WriteOptions options) {
    collection.put(encode(main, clustering), values.encode(value), values.withDefaults(options));
  }

  /** Deletes a key; deleting what is not there succeeds. */
  public void delete(M main, C clustering) {
    collection.delete(encode(main, clustering));
  }

  /** Deletes a key under a lock. */
  public void delete(M main, C clustering, WriteOptions options) {
    collection.delete(encode(main, clustering), options);
  }

  /** Reads the first page of a range of one main key. */
  public TypedPage<C, V> getRange(M main, KeyRange<C> range, PageLimit limit) {
    return getRange(main, range, limit, null);
  }

  /**
   * Reads a page of a range, going on where another ended.
   *
   * @param next what the page before gave, with the same main key, bounds and direction
   */
  public TypedPage<C, V> getRange(
      M main, KeyRange<C> range, PageLimit limit, @Nullable Continuation next) {
    Bytes encoded = model.main().encode(main);
    return decode(
        encoded, collection.getRange(encoded, range.encode(model.clustering()), limit, next));
  }

  /** Reads several keys at once; each has its own outcome. */
  public Map<RangeKey<M, C>, Outcome<Optional<V>>> getAll(Collection<RangeKey<M, C>> keys) {
    Map<Key, RangeKey<M, C>> encoded = new LinkedHashMap<>();
    keys.forEach(key -> encoded.put(encode(key.main(), key.clustering()), key));
    return TypedOutcomes.of(encoded, collection.getAll(encoded.keySet()), this::decode);
  }

  /** Writes several keys at once; each has its own outcome. */
  public Map<RangeKey<M, C>, Outcome<Optional<Void>>> putAll(Map<RangeKey<M, C>, V> entries) {
    return putAll(entries, WriteOptions.none());
  }

  /** Writes several keys at once with options; each has its own outcome. */
  public Map<RangeKey<M, C>, Outcome<Optional<Void>>> putAll(
      Map<RangeKey<M, C>, V> entries, WriteOptions options) {
    Map<Key, RangeKey<M, C>> keys = new LinkedHashMap<>();
    Map<Key, Bytes> encoded = new LinkedHashMap<>();
    entries.forEach(
        (key, value) -> {
          Key bytes = encode(key.main(), key.clustering());
          keys.put(bytes, key);
          encoded.put(bytes, values.encode(value));
        });
    return TypedOutcomes.of(
        keys, collection.putAll(encoded, values.withDefaults(options)), (key, nothing) -> nothing);
  }

  private Key encode(M main, C clustering) {
    return Key.of(model.main().encode(main), model.clustering().encode(clustering));
  }

  private Optional<V> decode(Key key, Optional<Bytes> value) {
    return value.isEmpty() ? Optional.empty() : Optional.of(values.decode(key, value.get()));
  }

  private TypedPage<C, V> decode(Bytes main, RangePage page) {
    List<TypedEntry<C, V>> entries = new ArrayList<>(page.entries().size());
    for (Entry entry : page.entries()) {
      entries.add(
          new TypedEntry<>(
              model.clustering().decode(entry.clustering()),
              values.decode(Key.of(main, entry.clustering()), entry.value())));
    }
    return new TypedPage<>(entries, page.stop(), page.next());
  }

  /** The operations without waiting; see {@link KvCollection.Async}. */
  public final class Async {
    private Async() {}

    /** See {@link TypedRange#get(Object, Object)}. */
    public CompletionStage<Optional<V>> get(M main, C clustering) {
      Key key = encode(main, clustering);
      return collection.async().get(key).thenApply(value -> decode(key, value));
    }

    /** See {@link TypedRange#put(Object, Object, Object, WriteOptions)}. */
    public CompletionStage<Void> put(M main, C clustering, V value, WriteOptions options) {
      return collection
          .async()
          .put(encode(main, clustering), values.encode(value), values.withDefaults(options));
    }

    /** See {@link TypedRange#delete(Object, Object, WriteOptions)}. */
    public CompletionStage<Void> delete(M main, C clustering, WriteOptions options) {
      return collection.async().delete(encode(main, clustering), options);
    }

    /** See {@link TypedRange#getRange(Object, KeyRange, PageLimit, Continuation)}. */
    public CompletionStage<TypedPage<C, V>> getRange(
        M main, KeyRange<C> range, PageLimit limit, @Nullable Continuation next) {
      Bytes encoded = model.main().encode(main);
      return collection
          .async()
          .getRange(encoded, range.encode(model.clustering()), limit, next)
          .thenApply(page -> decode(encoded, page));
    }
  }
}
