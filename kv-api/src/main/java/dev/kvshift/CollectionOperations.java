package dev.kvshift;

import dev.kvshift.Pending.Effect;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Observation;
import dev.kvshift.api.KvObserver.Operation;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.StoreOptions;
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
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.LongSupplier;
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
  private final String store;
  private final Limits limits;
  private final KvObserver observer;
  private final Executor executor;
  private final Clock clock;

  CollectionOperations(
      StoreCollection collection, String store, Limits limits, StoreOptions options) {
    this.collection = collection;
    this.store = store;
    this.limits = limits;
    this.observer = options.observer();
    this.executor = options.executor();
    this.clock = options.clock();
  }

  String name() {
    return collection.name();
  }

  Layout layout() {
    return collection.layout();
  }

  Executor executor() {
    return executor;
  }

  Pending<Optional<Bytes>> get(Key key, ReadOptions options) {
    Call call = call(options);
    return get(
            () -> {
              InvalidArgument.requireNonNull(options, "options");
              return collection.get(storeKey(key), call);
            },
            call)
        .send();
  }

  Pending<@Nullable Void> put(Key key, Bytes value, WriteOptions options) {
    Call call = call(options);
    return put(key, value, options, call, write -> send(write, call)).send();
  }

  Pending<@Nullable Void> delete(Key key, WriteOptions options) {
    Call call = call(options);
    return delete(key, options, call, write -> send(write, call)).send();
  }

  Pending<RangePage> getRange(
      Bytes main, Range range, PageLimit limit, @Nullable Continuation next, ReadOptions options) {
    Call call = call(options);
    return observed(
            Operation.GET_RANGE,
            call,
            () -> {
              InvalidArgument.requireNonNull(options, "options");
              return range(main, range, limit, next, call);
            },
            new Measure<>(CollectionOperations::bytesOf, found -> found.entries().size()))
        .send();
  }

  Pending<Map<Key, Outcome<Optional<Bytes>>>> getAll(Collection<Key> keys, ReadOptions options) {
    Call call = call(options);
    JointRequests<StoreKey, @Nullable Row> reads =
        new JointRequests<>(key -> collection.get(key, call), all -> collection.getAll(all, call));
    return KeyBatch.send(
        Effect.READ,
        call,
        counted(
            Operation.GET,
            () -> {
              InvalidArgument.requireNonNull(options, "options");
              return KeyBatch.distinct(keys);
            }),
        key -> reads.add(key.main(), read -> get(() -> read.apply(storeKey(key)), call)));
  }

  Pending<Map<Key, Outcome<@Nullable Void>>> putAll(Map<Key, Bytes> entries, WriteOptions options) {
    Call call = call(options);
    JointRequests<Write, Long> writes = writes(call);
    Map<Key, Bytes> copy = new LinkedHashMap<>();
    return KeyBatch.send(
        Effect.WRITE,
        call,
        counted(
            Operation.PUT,
            () -> {
              InvalidArgument.requireNonNull(options, "options");
              copy.putAll(InvalidArgument.requireNonNull(entries, "entries"));
              copy.values()
                  .forEach(value -> InvalidArgument.requireNonNull(value, "one of the values"));
              return KeyBatch.distinct(copy.keySet());
            }),
        key ->
            writes.add(
                key.main(),
                write -> put(key, Objects.requireNonNull(copy.get(key)), options, call, write)));
  }

  Pending<Map<Key, Outcome<@Nullable Void>>> deleteAll(Collection<Key> keys, WriteOptions options) {
    Call call = call(options);
    JointRequests<Write, Long> writes = writes(call);
    return KeyBatch.send(
        Effect.WRITE,
        call,
        counted(
            Operation.DELETE,
            () -> {
              requireNoTtl(options);
              return KeyBatch.distinct(keys);
            }),
        key -> writes.add(key.main(), write -> delete(key, options, call, write)));
  }

  private Pending<Optional<Bytes>> get(
      Supplier<CompletionStage<@Nullable Row>> request, Call call) {
    return observed(
        Operation.GET,
        call,
        () ->
            request
                .get()
                .thenApply(
                    row -> row == null ? Optional.empty() : Optional.ofNullable(row.value())),
        new Measure<>(
            value -> value.map(Bytes::size).orElse(0), value -> value.isPresent() ? 1 : 0));
  }

  /** One row to write. */
  private record Write(StoreKey key, Mutation mutation) {}

  private CompletionStage<Long> send(Write write, Call call) {
    return collection.write(write.key, write.mutation, call);
  }

  private JointRequests<Write, Long> writes(Call call) {
    return new JointRequests<>(write -> send(write, call), all -> sendAll(all, call));
  }

  private List<CompletionStage<Long>> sendAll(List<Write> writes, Call call) {
    Map<StoreKey, Mutation> mutations = new LinkedHashMap<>();
    writes.forEach(write -> mutations.put(write.key, write.mutation));
    Map<StoreKey, CompletionStage<Long>> sent = collection.writeAll(mutations, call);
    return writes.stream().map(write -> Objects.requireNonNull(sent.get(write.key))).toList();
  }

  private Pending<@Nullable Void> put(
      Key key,
      Bytes value,
      WriteOptions options,
      Call call,
      Function<Write, CompletionStage<Long>> writer) {
    return write(
        Operation.PUT,
        call,
        () -> {
          StoreKey storeKey = storeKey(key);
          InvalidArgument.requireNonNull(value, "value");
          Duration ttl = InvalidArgument.requireNonNull(options, "options").ttl();
          Instant expiry =
              ttl == null ? null : clock.instant().plus(ttl).truncatedTo(ChronoUnit.MILLIS);
          return writer.apply(
              new Write(storeKey, Mutation.of(value).withExpiry(expiry).withLock(options.lock())));
        },
        () -> key.clustering().size() + value.size());
  }

  private Pending<@Nullable Void> delete(
      Key key, WriteOptions options, Call call, Function<Write, CompletionStage<Long>> writer) {
    return write(
        Operation.DELETE,
        call,
        () -> {
          requireNoTtl(options);
          return writer.apply(new Write(storeKey(key), Mutation.delete().withLock(options.lock())));
        },
        () -> key.clustering().size());
  }

  private Pending<@Nullable Void> write(
      Operation operation, Call call, Supplier<CompletionStage<Long>> request, LongSupplier bytes) {
    return this.<@Nullable Void>observed(
        operation,
        call,
        () -> request.get().thenApply(version -> null),
        new Measure<>(written -> bytes.getAsLong(), written -> 1));
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

  /** The size of a result, for the observer: bytes of clustering keys and values, and entries. */
  private record Measure<T extends @Nullable Object>(
      ToLongFunction<T> bytes, ToIntFunction<T> entries) {}

  private <T extends @Nullable Object> Pending<T> observed(
      Operation operation,
      Call call,
      Supplier<? extends CompletionStage<T>> request,
      Measure<T> measure) {
    Effect effect =
        operation == Operation.PUT || operation == Operation.DELETE ? Effect.WRITE : Effect.READ;
    KvObserver.Start start = KvObserver.Start.of(operation, name());
    long startNanos = System.nanoTime();
    KvObserver.Ending ending = begin(start);
    return Pending.unsent(
        effect,
        call,
        request,
        (value, error) -> {
          Duration duration = Duration.ofNanos(System.nanoTime() - startNanos);
          Observation end = Observation.of(start, duration);
          notifying(
              () ->
                  ending.ended(
                      error == null
                          ? end.withData(
                              measure.entries.applyAsInt(value), measure.bytes.applyAsLong(value))
                          : end.withError(error)));
          if (error instanceof KvException.CollectionFenced fenced) {
            notifying(() -> observer.happened(fence(fenced)));
          }
        });
  }

  /** Returns the same check of arguments, whose refusal the observer sees as one operation. */
  private <T> Supplier<T> counted(Operation operation, Supplier<T> arguments) {
    return () -> {
      try {
        return arguments.get();
      } catch (KvException e) {
        refused(operation, e);
        throw e;
      }
    };
  }

  /** Reports an operation that was refused before it began. */
  void refused(Operation operation, KvException error) {
    KvObserver.Start start = KvObserver.Start.of(operation, name());
    KvObserver.Ending ending = begin(start);
    notifying(() -> ending.ended(Observation.of(start, Duration.ZERO).withError(error)));
  }

  private KvObserver.Event fence(KvException.CollectionFenced error) {
    return KvObserver.Event.of(KvObserver.Event.Kind.FENCE, store, "")
        .withCollection(name())
        .withDuration(error.remaining())
        .withError(error);
  }

  private KvObserver.Ending begin(KvObserver.Start start) {
    try {
      return observer.begin(start);
    } catch (Throwable e) {
      report(e);
      return observation -> {};
    }
  }

  /** Notifies the observer, whose faults must not become those of the operation. */
  private static void notifying(Runnable notification) {
    try {
      notification.run();
    } catch (Throwable e) {
      report(e);
    }
  }

  private static void report(Throwable bug) {
    Thread thread = Thread.currentThread();
    thread.getUncaughtExceptionHandler().uncaughtException(thread, bug);
  }

  private static long bytesOf(RangePage page) {
    long bytes = 0;
    for (Entry entry : page.entries()) {
      bytes += entry.clustering().size() + entry.value().size();
    }
    return bytes;
  }

  /** Returns the call of an operation, whose request refuses options that are null. */
  private Call call(@Nullable ReadOptions options) {
    return within(options == null ? null : options.timeout());
  }

  private Call call(@Nullable WriteOptions options) {
    return within(options == null ? null : options.timeout());
  }

  private Call within(@Nullable Duration timeout) {
    return Call.within(timeout == null ? limits.timeout() : timeout);
  }

  private static void requireNoTtl(WriteOptions options) {
    if (InvalidArgument.requireNonNull(options, "options").ttl() != null) {
      throw new InvalidArgument("a delete has no TTL: leave it out");
    }
  }

  private static StoreKey storeKey(Key key) {
    InvalidArgument.requireNonNull(key, "key");
    return StoreKey.of(key.main(), key.clustering());
  }
}
