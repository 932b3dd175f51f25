package dev.kvshift.model;

import dev.kvshift.KvCollection;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.api.KvObserver.Operation;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.model.key.KeyRange;
import dev.kvshift.model.key.RangeKey;
import dev.kvshift.spi.Futures;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * An open range collection in the service's own types. Safe for use by many threads. Closed with
 * its store.
 *
 * <p>Operations fail as those of {@link KvCollection} do, with the same state afterwards. A key or
 * value that the model cannot encode fails with {@link KvException.InvalidArgument}. A stored one
 * that it cannot decode fails its own key or entry with {@link KvException.Permanent}. A multi-key
 * request has the limit of {@link KvCollection} and returns an outcome for each key; it is not
 * atomic.
 *
 * @param <M> the type of its main keys
 * @param <C> the type of its clustering keys
 * @param <V> the type of its values
 */
public final class TypedRange<M, C, V> {
  private final RangeModel<M, C, V> model;
  private final KvCollection collection;
  private final TypedKeys<RangeKey<M, C>, V> keys;
  private final Async async = new Async();

  TypedRange(RangeModel<M, C, V> model, KvCollection collection) {
    this.model = model;
    this.collection = collection;
    this.keys =
        new TypedKeys<>(
            collection, key -> encode(key.main(), key.clustering()), model.value(), model.ttl());
  }

  /** Returns the model of the collection. */
  public RangeModel<M, C, V> model() {
    return model;
  }

  /** Returns the asynchronous form of the operations. */
  public Async async() {
    return async;
  }

  /** Reads the value of a key; empty if it has none, or if it was deleted or has expired. */
  public Optional<V> get(M main, C clustering) {
    return get(main, clustering, ReadOptions.none());
  }

  /** Reads the value of a key with options; empty if it has none. */
  public Optional<V> get(M main, C clustering, ReadOptions options) {
    return keys.get(new RangeKey<>(main, clustering), options);
  }

  /** Writes a value, replacing the one that the key has. */
  public void put(M main, C clustering, V value) {
    put(main, clustering, value, WriteOptions.none());
  }

  /** Writes a value with options, whose TTL replaces the model's. */
  public void put(M main, C clustering, V value, WriteOptions options) {
    keys.put(new RangeKey<>(main, clustering), value, options);
  }

  /** Deletes a key. Succeeds if it does not exist. */
  public void delete(M main, C clustering) {
    delete(main, clustering, WriteOptions.none());
  }

  /** Deletes a key with options, such as a lock. */
  public void delete(M main, C clustering, WriteOptions options) {
    keys.delete(new RangeKey<>(main, clustering), options);
  }

  /** Reads the first page of a range of one main key. */
  public TypedPage<C, V> getRange(M main, KeyRange<C> range, PageLimit limit) {
    return getRange(main, range, limit, null);
  }

  /**
   * Reads a page of a range that continues a previous one.
   *
   * @param next the previous page's continuation, used with the same main key, bounds and
   *     direction; null for the first page
   */
  public TypedPage<C, V> getRange(
      M main, KeyRange<C> range, PageLimit limit, @Nullable Continuation next) {
    return getRange(main, range, limit, next, ReadOptions.none());
  }

  /**
   * Reads a page of a range with options.
   *
   * @param next the previous page's continuation, used with the same main key, bounds and
   *     direction; null for the first page
   */
  public TypedPage<C, V> getRange(
      M main,
      KeyRange<C> range,
      PageLimit limit,
      @Nullable Continuation next,
      ReadOptions options) {
    Read read = read(main, range);
    return decode(read.main, collection.getRange(read.main, read.range, limit, next, options));
  }

  /** Reads several keys and returns the outcome of each. */
  public Map<RangeKey<M, C>, Outcome<Optional<V>>> getAll(Collection<RangeKey<M, C>> several) {
    return getAll(several, ReadOptions.none());
  }

  /** Reads several keys with options and returns the outcome of each. */
  public Map<RangeKey<M, C>, Outcome<Optional<V>>> getAll(
      Collection<RangeKey<M, C>> several, ReadOptions options) {
    return keys.getAll(several, options);
  }

  /** Writes several entries and returns the outcome of each. */
  public Map<RangeKey<M, C>, Outcome<@Nullable Void>> putAll(Map<RangeKey<M, C>, V> entries) {
    return putAll(entries, WriteOptions.none());
  }

  /** Writes several entries with options and returns the outcome of each. */
  public Map<RangeKey<M, C>, Outcome<@Nullable Void>> putAll(
      Map<RangeKey<M, C>, V> entries, WriteOptions options) {
    return keys.putAll(entries, options);
  }

  /** Deletes several keys and returns the outcome of each. */
  public Map<RangeKey<M, C>, Outcome<@Nullable Void>> deleteAll(
      Collection<RangeKey<M, C>> several) {
    return deleteAll(several, WriteOptions.none());
  }

  /** Deletes several keys with options and returns the outcome of each. */
  public Map<RangeKey<M, C>, Outcome<@Nullable Void>> deleteAll(
      Collection<RangeKey<M, C>> several, WriteOptions options) {
    return keys.deleteAll(several, options);
  }

  private record Read(Bytes main, Range range) {}

  private Read read(M main, KeyRange<C> range) {
    return keys.counted(
        Operation.GET_RANGE, () -> new Read(model.main().encode(main), encode(range)));
  }

  private Range encode(KeyRange<C> range) {
    return InvalidArgument.requireNonNull(range, "range").encode(model.clustering());
  }

  private Key encode(M main, C clustering) {
    return Key.of(model.main().encode(main), model.clustering().encode(clustering));
  }

  private TypedPage<C, V> decode(Bytes main, RangePage page) {
    List<TypedEntry<C, V>> entries = new ArrayList<>(page.entries().size());
    for (Entry entry : page.entries()) {
      Key key = Key.of(main, entry.clustering());
      entries.add(
          TypedEntry.decoded(
              keys.decoded(() -> decodeClustering(key)),
              keys.decoded(() -> keys.decode(key, entry.value()))));
    }
    return TypedPage.of(entries, page.stop(), page.next());
  }

  private C decodeClustering(Key key) {
    try {
      return model.clustering().decode(key.clustering());
    } catch (RuntimeException e) {
      throw new KvException.Permanent(
          keys.described(key)
              + ": its clustering key is not what the model declares: check the model",
          e);
    }
  }

  /** The asynchronous operations; see {@link KvCollection.Async}. */
  public final class Async {
    private Async() {}

    /** See {@link TypedRange#get(Object, Object)}. */
    public CompletionStage<Optional<V>> get(M main, C clustering) {
      return get(main, clustering, ReadOptions.none());
    }

    /** See {@link TypedRange#get(Object, Object, ReadOptions)}. */
    public CompletionStage<Optional<V>> get(M main, C clustering, ReadOptions options) {
      return Futures.start(() -> keys.getAsync(new RangeKey<>(main, clustering), options));
    }

    /** See {@link TypedRange#put(Object, Object, Object)}. */
    public CompletionStage<@Nullable Void> put(M main, C clustering, V value) {
      return put(main, clustering, value, WriteOptions.none());
    }

    /** See {@link TypedRange#put(Object, Object, Object, WriteOptions)}. */
    public CompletionStage<@Nullable Void> put(
        M main, C clustering, V value, WriteOptions options) {
      return Futures.start(() -> keys.putAsync(new RangeKey<>(main, clustering), value, options));
    }

    /** See {@link TypedRange#delete(Object, Object)}. */
    public CompletionStage<@Nullable Void> delete(M main, C clustering) {
      return delete(main, clustering, WriteOptions.none());
    }

    /** See {@link TypedRange#delete(Object, Object, WriteOptions)}. */
    public CompletionStage<@Nullable Void> delete(M main, C clustering, WriteOptions options) {
      return Futures.start(() -> keys.deleteAsync(new RangeKey<>(main, clustering), options));
    }

    /** See {@link TypedRange#getRange(Object, KeyRange, PageLimit)}. */
    public CompletionStage<TypedPage<C, V>> getRange(M main, KeyRange<C> range, PageLimit limit) {
      return getRange(main, range, limit, null);
    }

    /** See {@link TypedRange#getRange(Object, KeyRange, PageLimit, Continuation)}. */
    public CompletionStage<TypedPage<C, V>> getRange(
        M main, KeyRange<C> range, PageLimit limit, @Nullable Continuation next) {
      return getRange(main, range, limit, next, ReadOptions.none());
    }

    /** See {@link TypedRange#getRange(Object, KeyRange, PageLimit, Continuation, ReadOptions)}. */
    public CompletionStage<TypedPage<C, V>> getRange(
        M main,
        KeyRange<C> range,
        PageLimit limit,
        @Nullable Continuation next,
        ReadOptions options) {
      return Futures.start(
          () -> {
            Read read = read(main, range);
            return Futures.map(
                collection.async().getRange(read.main, read.range, limit, next, options),
                page -> decode(read.main, page));
          });
    }

    /** See {@link TypedRange#getAll(Collection)}. */
    public CompletionStage<Map<RangeKey<M, C>, Outcome<Optional<V>>>> getAll(
        Collection<RangeKey<M, C>> several) {
      return getAll(several, ReadOptions.none());
    }

    /** See {@link TypedRange#getAll(Collection, ReadOptions)}. */
    public CompletionStage<Map<RangeKey<M, C>, Outcome<Optional<V>>>> getAll(
        Collection<RangeKey<M, C>> several, ReadOptions options) {
      return Futures.start(() -> keys.getAllAsync(several, options));
    }

    /** See {@link TypedRange#putAll(Map)}. */
    public CompletionStage<Map<RangeKey<M, C>, Outcome<@Nullable Void>>> putAll(
        Map<RangeKey<M, C>, V> entries) {
      return putAll(entries, WriteOptions.none());
    }

    /** See {@link TypedRange#putAll(Map, WriteOptions)}. */
    public CompletionStage<Map<RangeKey<M, C>, Outcome<@Nullable Void>>> putAll(
        Map<RangeKey<M, C>, V> entries, WriteOptions options) {
      return Futures.start(() -> keys.putAllAsync(entries, options));
    }

    /** See {@link TypedRange#deleteAll(Collection)}. */
    public CompletionStage<Map<RangeKey<M, C>, Outcome<@Nullable Void>>> deleteAll(
        Collection<RangeKey<M, C>> several) {
      return deleteAll(several, WriteOptions.none());
    }

    /** See {@link TypedRange#deleteAll(Collection, WriteOptions)}. */
    public CompletionStage<Map<RangeKey<M, C>, Outcome<@Nullable Void>>> deleteAll(
        Collection<RangeKey<M, C>> several, WriteOptions options) {
      return Futures.start(() -> keys.deleteAllAsync(several, options));
    }
  }
}
