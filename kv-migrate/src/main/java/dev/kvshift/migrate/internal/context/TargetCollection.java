package dev.kvshift.migrate.internal.context;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The target's collection with the target's time-out on each request. Safe for use by many threads.
 *
 * <p>Only {@link #refusal} and {@link #canHold} say what the target can never hold. They are local.
 * A request that fails never says so: a missing permission or a wrong schema refuses every row, and
 * can be fixed. Its {@code Permanent} therefore ends the run.
 */
public final class TargetCollection {
  private final Store store;
  private final StoreCollection collection;
  private final Duration timeout;

  /** Wraps a collection of the store. */
  public TargetCollection(Store store, StoreCollection collection) {
    this.store = store;
    this.collection = collection;
    this.timeout = store.limits().timeout();
  }

  /** Returns the time of the store's clock. */
  public CompletionStage<Instant> serverTime() {
    return store.serverTime();
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
    return request(() -> collection.get(key, call()));
  }

  /** Writes a row at its own version. */
  public CompletionStage<Long> write(Row row) {
    return request(() -> collection.write(row.key(), row.toMutation(), call()));
  }

  /** Splits the collection into at least so many scan tasks. */
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast) {
    return request(() -> collection.scanTasks(atLeast, call()));
  }

  /** Reads a page of a scan task. */
  public CompletionStage<ScanPage> scan(ScanTask task, @Nullable Bytes position, PageLimit limit) {
    return request(() -> collection.scan(task, position, limit, call()));
  }

  /** Returns the token of a key, which the target must be able to hold. */
  public long token(StoreKey key) {
    return collection.token(key);
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
