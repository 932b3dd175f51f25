package dev.kvshift.migrate.internal.context;

import com.google.common.collect.Lists;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.model.shard.ShardDirectory;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The target's collection with the target's time-out on each request. Safe for use by many threads.
 *
 * <p>Reads return what ranges return: a row whose shard the directory does not list counts as
 * absent, because services that read ranges do not see it.
 *
 * <p>Only {@link #refusal} and {@link #canHold} say what the target can never hold. They are local.
 * A request that fails never says so: a missing permission or a wrong schema refuses every row, and
 * can be fixed. Its {@code Permanent} therefore ends the run.
 */
public final class TargetCollection {
  private static final int LOOKED_UP_AT_ONCE = 256;

  private final Store store;
  private final StoreCollection collection;
  private final @Nullable ShardDirectory directory;
  private final Duration timeout;

  /** Wraps a collection of the store; {@code directory} is null if the collection has none. */
  public TargetCollection(
      Store store, StoreCollection collection, @Nullable ShardDirectory directory) {
    this.store = store;
    this.collection = collection;
    this.directory = directory;
    this.timeout = store.limits().timeout();
  }

  /** Returns the name of the mapping through which the store holds the rows; null for none. */
  public @Nullable String mapping() {
    return store.mapping(collection.name());
  }

  /** Returns what reads the clock of each of the store's servers. */
  public List<Supplier<CompletionStage<Instant>>> serverTimes() {
    return store.serverTimes();
  }

  /** Returns the time for which the target remembers deletes; null if it never forgets one. */
  public @Nullable Duration tombstoneLifetime() {
    return store.limits().tombstoneLifetime().orElse(null);
  }

  /** Returns why the target can never hold a row, or null if it can. */
  public KvException.@Nullable InvalidArgument refusal(Row row) {
    return refusal(row.key(), row.toMutation());
  }

  /** Returns whether the target can hold any row of a key. */
  public boolean canHold(StoreKey key) {
    return refusal(key, Mutation.delete()) == null;
  }

  private KvException.@Nullable InvalidArgument refusal(StoreKey key, Mutation mutation) {
    try {
      collection.check(key, mutation);
      return null;
    } catch (KvException.InvalidArgument e) {
      return e;
    }
  }

  /** Reads a key, which the target must be able to hold. */
  public CompletionStage<@Nullable Row> get(StoreKey key) {
    return request(
        () ->
            directory == null
                ? collection.get(key, call())
                : collection
                    .get(key, call())
                    .thenCombine(
                        directory.lists(directory.rowOf(key), call()),
                        (row, isListed) ->
                            isListed || row == null || row.isTombstone() ? row : null));
  }

  /** Adds the shards of these keys to the directory, those that it does not list. */
  public CompletionStage<Void> list(List<StoreKey> keys) {
    return request(
        () ->
            directory == null
                ? CompletableFuture.completedFuture(null)
                : unlisted(directory, shards(directory, keys))
                    .thenCompose(
                        rows ->
                            CompletableFuture.allOf(
                                rows.stream()
                                    .map(row -> directory.list(row, call()).toCompletableFuture())
                                    .toArray(CompletableFuture[]::new))));
  }

  private static List<StoreKey> shards(ShardDirectory directory, List<StoreKey> keys) {
    return keys.stream().map(directory::rowOf).distinct().toList();
  }

  /** Returns the directory rows that are missing; asks for a bounded number at a time. */
  private CompletionStage<Set<StoreKey>> unlisted(ShardDirectory directory, List<StoreKey> rows) {
    Set<StoreKey> missing = ConcurrentHashMap.newKeySet();
    CompletionStage<Set<StoreKey>> done = CompletableFuture.completedFuture(missing);
    for (List<StoreKey> some : Lists.partition(rows, LOOKED_UP_AT_ONCE)) {
      done = done.thenCompose(before -> addUnlisted(directory, some, missing));
    }
    return done;
  }

  private CompletionStage<Set<StoreKey>> addUnlisted(
      ShardDirectory directory, List<StoreKey> rows, Set<StoreKey> missing) {
    CompletableFuture<?>[] lookups =
        rows.stream()
            .map(
                row ->
                    directory
                        .lists(row, call())
                        .thenAccept(
                            isListed -> {
                              if (!isListed) {
                                missing.add(row);
                              }
                            })
                        .toCompletableFuture())
            .toArray(CompletableFuture[]::new);
    return CompletableFuture.allOf(lookups).thenApply(all -> missing);
  }

  /** Writes a row at its own version. */
  public CompletionStage<Long> write(Row row) {
    return request(() -> collection.write(row.key(), row.toMutation(), call()));
  }

  /** Checks that the side can hold rows of a main key; see {@link MainKey#require}. */
  public void requireMain(Bytes main) {
    MainKey.require(collection, main);
  }

  /** Reads a page of the rows of a main key; see {@link MainKey#page}. */
  public CompletionStage<RowPage> page(Bytes main, Range range, PageLimit limit) {
    return request(() -> MainKey.page(collection, main, range, limit, call()));
  }

  /** Splits the collection into at least the given number of scan tasks. */
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast) {
    return request(() -> collection.scanTasks(atLeast, call()));
  }

  /** Reads a page of a scan task. */
  public CompletionStage<ScanPage> scan(ScanTask task, @Nullable Bytes position, PageLimit limit) {
    return request(
        () -> {
          CompletionStage<ScanPage> page = collection.scan(task, position, limit, call());
          return directory == null ? page : page.thenCompose(read -> listedOf(directory, read));
        });
  }

  private CompletionStage<ScanPage> listedOf(ShardDirectory directory, ScanPage page) {
    List<StoreKey> live =
        page.rows().stream().filter(row -> !row.isTombstone()).map(Row::key).toList();
    return unlisted(directory, shards(directory, live))
        .thenApply(
            missing ->
                missing.isEmpty()
                    ? page
                    : ScanPage.of(
                        page.rows().stream()
                            .filter(row -> !missing.contains(directory.rowOf(row.key())))
                            .toList(),
                        page.next()));
  }

  private <T extends @Nullable Object> CompletionStage<T> request(
      Supplier<CompletionStage<T>> request) {
    return Futures.start(request)
        .handle(
            (answer, failed) -> {
              if (failed != null) {
                throw new CompletionException(explained(Futures.unwrap(failed)));
              }
              return answer;
            });
  }

  private Throwable explained(Throwable failure) {
    return failure instanceof KvException.Permanent
        ? new KvException.Permanent(
            "the target refused a request for collection "
                + collection.name()
                + ": "
                + failure.getMessage()
                + "; no row was quarantined for it: once that is fixed, start the run again to"
                + " resume",
            failure)
        : failure;
  }

  private Call call() {
    return Call.within(timeout);
  }
}
