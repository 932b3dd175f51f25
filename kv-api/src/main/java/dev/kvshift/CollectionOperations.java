package dev.kvshift;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
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
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
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
 * The operations of a collection, behind both faces of {@link KvCollection}: checks the arguments,
 * calls the SPI and reports to the observer. Safe for use by many threads.
 */
final class CollectionOperations {
  private final StoreCollection collection;
  private final Limits limits;
  private final KvObserver observer;
  private final Clock clock;

  CollectionOperations(
      StoreCollection collection, Limits limits, KvObserver observer, Clock clock) {
    this.collection = collection;
    this.limits = limits;
    this.observer = observer;
    this.clock = clock;
  }

  String name() {
    return collection.name();
  }

  Layout layout() {
    return collection.layout();
  }

  CompletionStage<Optional<Bytes>> get(Key key, ReadOptions options) {
    return Stages.start(() -> get(key, call(options)), false);
  }

  CompletionStage<@Nullable Void> put(Key key, Bytes value, WriteOptions options) {
    return Stages.start(() -> put(key, value, options, call(options)), true);
  }

  CompletionStage<@Nullable Void> delete(Key key, WriteOptions options) {
    return Stages.start(() -> delete(key, options, call(options)), true);
  }

  CompletionStage<RangePage> getRange(
      Bytes main, Range range, PageLimit limit, @Nullable Continuation next, ReadOptions options) {
    return observed(
        Operation.GET_RANGE,
        () -> range(main, range, limit, next, call(options)),
        CollectionOperations::bytesOf,
        found -> found.entries().size());
  }

  CompletionStage<Map<Key, Outcome<Optional<Bytes>>>> getAll(
      Collection<Key> keys, ReadOptions options) {
    return Stages.start(
        () -> {
          Call call = call(options);
          return KeyBatch.run(keys, key -> get(key, call));
        },
        false);
  }

  CompletionStage<Map<Key, Outcome<@Nullable Void>>> putAll(
      Map<Key, Bytes> entries, WriteOptions options) {
    return Stages.start(
        () -> {
          Call call = call(options);
          Map<Key, Bytes> copy =
              new LinkedHashMap<>(InvalidArgument.requireNonNull(entries, "entries"));
          copy.values().forEach(value -> InvalidArgument.requireNonNull(value, "a value"));
          return KeyBatch.run(
              copy.keySet(), key -> put(key, Objects.requireNonNull(copy.get(key)), options, call));
        },
        true);
  }

  CompletionStage<Map<Key, Outcome<@Nullable Void>>> deleteAll(
      Collection<Key> keys, WriteOptions options) {
    return Stages.start(
        () -> {
          Call call = call(options);
          requireNoTtl(options);
          return KeyBatch.run(keys, key -> delete(key, options, call));
        },
        true);
  }

  private CompletionStage<Optional<Bytes>> get(Key key, Call call) {
    return observed(
        Operation.GET,
        () ->
            collection
                .get(storeKey(key), call)
                .thenApply(
                    row -> row == null ? Optional.empty() : Optional.ofNullable(row.value())),
        value -> value.map(Bytes::size).orElse(0),
        value -> value.isPresent() ? 1 : 0);
  }

  private CompletionStage<@Nullable Void> put(
      Key key, Bytes value, WriteOptions options, Call call) {
    return write(
        Operation.PUT,
        key,
        () -> {
          InvalidArgument.requireNonNull(value, "value");
          Duration ttl = options.ttl();
          Instant expiry =
              ttl == null ? null : clock.instant().plus(ttl).truncatedTo(ChronoUnit.MILLIS);
          return Mutation.of(value).withExpiry(expiry).withLock(options.lock());
        },
        call);
  }

  private CompletionStage<@Nullable Void> delete(Key key, WriteOptions options, Call call) {
    return write(
        Operation.DELETE,
        key,
        () -> {
          requireNoTtl(options);
          return Mutation.delete().withLock(options.lock());
        },
        call);
  }

  private CompletionStage<@Nullable Void> write(
      Operation operation, Key key, Supplier<Mutation> wanted, Call call) {
    return observed(
            operation,
            () -> {
              StoreKey storeKey = storeKey(key);
              Mutation mutation = wanted.get();
              Bytes value = mutation.value();
              int bytes = storeKey.clustering().size() + (value == null ? 0 : value.size());
              return collection.write(storeKey, mutation, call).thenApply(version -> bytes);
            },
            bytes -> bytes,
            bytes -> 1)
        .thenApply(bytes -> null);
  }

  private CompletionStage<RangePage> range(
      Bytes main, Range range, PageLimit limit, @Nullable Continuation next, Call call) {
    InvalidArgument.requireNonNull(main, "main key");
    InvalidArgument.requireNonNull(range, "range");
    InvalidArgument.requireNonNull(limit, "page limit");
    Range rest = next == null ? range : range.beyond(next.lastFor(name(), main, range.direction()));
    OperationChecker checker = OperationChecker.of(name(), layout(), limits);
    checker.checkBounds(rest);
    if (rest.isEmpty()) {
      checker.checkRange(main, Bytes.empty());
      return CompletableFuture.completedFuture(RangePage.of(List.of(), Stop.END, null));
    }
    return collection
        .range(main, Bytes.empty(), rest, limit, call)
        .thenApply(rows -> page(main, range, rows));
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
    } else if (error instanceof KvException.CollectionMoved) {
      return Result.MOVED;
    } else if (error instanceof KvException.Overloaded) {
      return Result.OVERLOADED;
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

  private Call call(ReadOptions options) {
    return call(InvalidArgument.requireNonNull(options, "options").timeout());
  }

  private Call call(WriteOptions options) {
    return call(InvalidArgument.requireNonNull(options, "options").timeout());
  }

  private Call call(@Nullable Duration timeout) {
    return Call.within(timeout == null ? limits.timeout() : timeout);
  }

  private static void requireNoTtl(WriteOptions options) {
    if (options.ttl() != null) {
      throw new InvalidArgument("a delete has no TTL: leave it out");
    }
  }

  private static StoreKey storeKey(Key key) {
    InvalidArgument.requireNonNull(key, "key");
    return StoreKey.of(key.main(), key.clustering());
  }
}
