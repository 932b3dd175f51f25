package dev.kvshift;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Observation;
import dev.kvshift.api.KvObserver.Operation;
import dev.kvshift.api.KvObserver.Result;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * A collection of entries, as services see it: {@code put}, {@code get}, {@code getRange}, {@code
 * delete}.
 *
 * <p>Safe for use by many threads. Every method waits for the store, at most for its time-out;
 * {@link #async()} gives the same operations without waiting.
 *
 * <p>Methods fail only with a {@link KvException}. A failed read has changed nothing. A failed
 * write was certainly not applied, unless it fails with {@link KvException.UnknownOutcome}.
 * Time-outs and closing the store end a read with {@link KvException.Transient} or {@link
 * KvException.Permanent}, and a write that may have been sent with {@link
 * KvException.UnknownOutcome}. Interrupting a waiting thread makes a read fail with {@link
 * KvException.Transient} and a write, or all of a multi-key write, with {@link
 * KvException.UnknownOutcome}, the thread still interrupted.
 *
 * <p>Limits are those of the store: lengths of key parts and values in bytes, checked before
 * anything is sent. It needs no closing: it ends with its {@link KvStore}.
 *
 * <p>Two concurrent writers of one key, by the phases of a migration. From {@code legacy} to {@code
 * new-primary}: the old store's leader puts one write behind the other, the later one stays, on
 * both stores, and every read sees them in this order. In {@code new-only}, as on {@code scylla://}
 * by itself: the write with the later clock stays, whichever was acknowledged first; clocks agree
 * within 250 ms, or writes are refused. A write belongs to the phase that it ended in; one with an
 * unknown outcome may still take its place in the order.
 */
public final class KvCollection {
  /** The most keys of one multi-key request. */
  public static final int MAX_KEYS = 10_000;

  private final StoreCollection collection;
  private final Limits limits;
  private final KvObserver observer;
  private final Clock clock;
  private final Async async = new Async();

  KvCollection(StoreCollection collection, Limits limits, KvObserver observer, Clock clock) {
    this.collection = collection;
    this.limits = limits;
    this.observer = observer;
    this.clock = clock;
  }

  /** Returns the collection's name. */
  public String name() {
    return collection.name();
  }

  /** Returns the collection's layout. */
  public Layout layout() {
    return collection.layout();
  }

  /** Returns the same operations without waiting. */
  public Async async() {
    return async;
  }

  /** Reads the value of a key; empty where there is none, or where it was deleted or expired. */
  public Optional<Bytes> get(Key key) {
    return Stages.await(async.get(key), false);
  }

  /** Writes a value, in place of any that the key has. */
  public void put(Key key, Bytes value) {
    put(key, value, WriteOptions.none());
  }

  /** Writes a value with options. */
  public void put(Key key, Bytes value, WriteOptions options) {
    Stages.await(async.put(key, value, options), true);
  }

  /** Deletes a key; deleting what is not there succeeds. */
  public void delete(Key key) {
    delete(key, WriteOptions.none());
  }

  /** Deletes a key under a lock; a time to live is refused. */
  public void delete(Key key, WriteOptions options) {
    Stages.await(async.delete(key, options), true);
  }

  /** Reads the first page of a range of one main key. */
  public RangePage getRange(Bytes main, Range range, PageLimit limit) {
    return Stages.await(async.getRange(main, range, limit, null), false);
  }

  /**
   * Reads a page of a range, going on where another ended.
   *
   * @param next what the page before gave, with the same main key, bounds and direction
   * @throws KvException.Permanent if the continuation belongs to another read
   */
  public RangePage getRange(Bytes main, Range range, PageLimit limit, @Nullable Continuation next) {
    return Stages.await(async.getRange(main, range, limit, next), false);
  }

  /**
   * Reads several keys, some of them at once; each has its own outcome and its own time-out.
   *
   * @param keys at most {@value #MAX_KEYS}
   * @return the outcomes in the order of the keys
   */
  public Map<Key, Outcome<Optional<Bytes>>> getAll(Collection<Key> keys) {
    return Stages.await(async.getAll(keys), false);
  }

  /**
   * Writes several keys in no particular order, some of them at once; each has its own outcome and
   * its own time-out.
   *
   * @param entries at most {@value #MAX_KEYS}
   * @return the outcomes in the order of the entries
   */
  public Map<Key, Outcome<@Nullable Void>> putAll(Map<Key, Bytes> entries, WriteOptions options) {
    return Stages.await(async.putAll(entries, options), true);
  }

  /**
   * Deletes several keys in no particular order, some of them at once; each has its own outcome and
   * its own time-out.
   *
   * @param keys at most {@value #MAX_KEYS}
   * @return the outcomes in the order of the keys
   */
  public Map<Key, Outcome<@Nullable Void>> deleteAll(Collection<Key> keys, WriteOptions options) {
    return Stages.await(async.deleteAll(keys, options), true);
  }

  /**
   * The operations without waiting. Stages fail only with a {@link KvException}; they complete on a
   * thread of the driver, which must not be blocked. A wrong option throws at once.
   */
  public final class Async {
    private Async() {}

    /** See {@link KvCollection#get(Key)}. */
    public CompletionStage<Optional<Bytes>> get(Key key) {
      StoreKey storeKey = storeKey(key);
      return observed(
          Operation.GET,
          () ->
              collection
                  .get(storeKey, call())
                  .thenApply(
                      row -> row == null ? Optional.empty() : Optional.ofNullable(row.value())),
          value -> value.map(Bytes::size).orElse(0),
          value -> value.isPresent() ? 1 : 0);
    }

    /** See {@link KvCollection#put(Key, Bytes, WriteOptions)}. */
    public CompletionStage<@Nullable Void> put(Key key, Bytes value, WriteOptions options) {
      StoreKey storeKey = storeKey(key);
      Duration ttl = options.ttl();
      Instant expiry =
          ttl == null ? null : clock.instant().plus(ttl).truncatedTo(ChronoUnit.MILLIS);
      return write(
          Operation.PUT, storeKey, Mutation.of(value).withExpiry(expiry).withLock(options.lock()));
    }

    /** See {@link KvCollection#delete(Key, WriteOptions)}. */
    public CompletionStage<@Nullable Void> delete(Key key, WriteOptions options) {
      StoreKey storeKey = storeKey(key);
      if (options.ttl() != null) {
        throw new KvException.Permanent("a delete takes no time to live: leave it out");
      }
      return write(Operation.DELETE, storeKey, Mutation.delete().withLock(options.lock()));
    }

    /** See {@link KvCollection#getRange(Bytes, Range, PageLimit, Continuation)}. */
    public CompletionStage<RangePage> getRange(
        Bytes main, Range range, PageLimit limit, @Nullable Continuation next) {
      Range rest =
          next == null ? range : range.beyond(next.lastFor(name(), main, range.direction()));
      if (rest.isEmpty()) {
        OperationChecker.of(name(), layout(), limits).checkRange(main, Bytes.empty());
        return CompletableFuture.completedFuture(RangePage.of(List.of(), Stop.END, null));
      }
      return observed(
          Operation.GET_RANGE,
          () ->
              collection
                  .range(main, Bytes.empty(), rest, limit, call())
                  .thenApply(rows -> page(main, range, rows)),
          KvCollection::bytesOf,
          found -> found.entries().size());
    }

    /** See {@link KvCollection#getAll(Collection)}. */
    public CompletionStage<Map<Key, Outcome<Optional<Bytes>>>> getAll(Collection<Key> keys) {
      return KeyBatch.run(keys, this::get);
    }

    /** See {@link KvCollection#putAll(Map, WriteOptions)}. */
    public CompletionStage<Map<Key, Outcome<@Nullable Void>>> putAll(
        Map<Key, Bytes> entries, WriteOptions options) {
      Map<Key, Bytes> copy = new LinkedHashMap<>(entries);
      return KeyBatch.run(
          copy.keySet(), key -> put(key, Objects.requireNonNull(copy.get(key)), options));
    }

    /** See {@link KvCollection#deleteAll(Collection, WriteOptions)}. */
    public CompletionStage<Map<Key, Outcome<@Nullable Void>>> deleteAll(
        Collection<Key> keys, WriteOptions options) {
      return KeyBatch.run(keys, key -> delete(key, options));
    }

    private CompletionStage<@Nullable Void> write(
        Operation operation, StoreKey key, Mutation mutation) {
      Bytes value = mutation.value();
      int bytes = key.clustering().size() + (value == null ? 0 : value.size());
      return observed(
              operation,
              () -> collection.write(key, mutation, call()),
              version -> bytes,
              version -> 1)
          .thenApply(version -> null);
    }
  }

  private RangePage page(Bytes main, Range range, RowPage rows) {
    List<Entry> entries = new ArrayList<>(rows.rows().size());
    for (Row row : rows.rows()) {
      Bytes value = row.value();
      if (value != null) {
        entries.add(Entry.of(row.key().clustering(), value));
      }
    }
    Bytes passed = rows.passed();
    return RangePage.of(
        entries,
        rows.stop(),
        passed == null ? null : Continuation.of(name(), main, range.direction(), passed));
  }

  private <T> CompletionStage<T> observed(
      Operation operation,
      Supplier<CompletionStage<T>> request,
      ToLongFunction<T> bytes,
      ToIntFunction<T> entries) {
    boolean write = operation == Operation.PUT || operation == Operation.DELETE;
    if (observer == KvObserver.NONE) {
      return Stages.start(request, write);
    }
    long start = System.nanoTime();
    return Stages.start(request, write)
        .whenComplete(
            (value, error) -> {
              try {
                observer.observe(
                    new Observation(
                        operation,
                        name(),
                        error == null ? Result.OK : result(Stages.known(error)),
                        Duration.ofNanos(System.nanoTime() - start),
                        error == null ? bytes.applyAsLong(value) : 0,
                        error == null ? entries.applyAsInt(value) : 0));
              } catch (RuntimeException e) {
                Thread thread = Thread.currentThread();
                thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
              }
            });
  }

  private static Result result(KvException error) {
    if (error instanceof KvException.InvalidArgument) {
      return Result.INVALID_ARGUMENT;
    } else if (error instanceof KvException.UnsupportedCapability) {
      return Result.UNSUPPORTED;
    } else if (error instanceof StalePhase) {
      return Result.STALE_PHASE;
    } else if (error instanceof KvException.CollectionFenced) {
      return Result.FENCED;
    } else if (error instanceof KvException.Transient) {
      return Result.TRANSIENT;
    } else if (error instanceof KvException.UnknownOutcome) {
      return Result.UNKNOWN_OUTCOME;
    }
    return Result.PERMANENT;
  }

  private static long bytesOf(RangePage page) {
    long bytes = 0;
    for (Entry entry : page.entries()) {
      bytes += entry.clustering().size() + entry.value().size();
    }
    return bytes;
  }

  private Call call() {
    return Call.within(limits.timeout());
  }

  private static StoreKey storeKey(Key key) {
    return StoreKey.of(key.main(), key.clustering());
  }
}
