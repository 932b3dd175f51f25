package dev.kvshift.migrate.internal.context;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The source's collection, read under the gate's current epoch. A request refused for a stale epoch
 * is sent once more under the epoch of the refusal, so reads also work after the move. Safe for use
 * by many threads.
 */
public final class SourceCollection {
  private final Store store;
  private final StoreCollection collection;
  private final Duration timeout;
  private final boolean registersConsumers;
  private volatile long epoch;

  /** Wraps a collection of the store, under the epoch that its gate is at. */
  public SourceCollection(Store store, StoreCollection collection, long epoch) {
    this.store = store;
    this.collection = collection;
    this.timeout = store.limits().timeout();
    this.registersConsumers = store.capabilities().contains(Capability.CHANGE_CONSUMERS);
    this.epoch = epoch;
  }

  /** Returns the time of the store's clock. */
  public CompletionStage<Instant> serverTime() {
    return store.serverTime();
  }

  /** Returns the last known epoch of the gate. */
  public long epoch() {
    return epoch;
  }

  /** Returns the collection's gate. */
  public Gate gate() {
    return collection.gate();
  }

  /** Returns the collection's change log. */
  public ChangeSource changes() {
    return collection.changes();
  }

  /**
   * Tells the source up to which position a consumer has read.
   *
   * @return how long the source will still keep what the consumer needs next, or null if the source
   *     does not register consumers or does not know
   */
  public CompletionStage<@Nullable Duration> consumed(String consumer, long upTo) {
    return registersConsumers
        ? changes().consumed(consumer, upTo).thenApply(left -> left)
        : CompletableFuture.completedFuture(null);
  }

  /** Unregisters a consumer, if the source registers consumers. */
  public CompletionStage<@Nullable Void> forget(String consumer) {
    return registersConsumers
        ? changes().forget(consumer)
        : CompletableFuture.completedFuture(null);
  }

  /**
   * Returns whether the source can hold any row of a key. Local, as {@link
   * TargetCollection#canHold}.
   */
  public boolean canHold(StoreKey key) {
    try {
      collection.check(key, Mutation.delete());
      return true;
    } catch (KvException.InvalidArgument e) {
      return false;
    }
  }

  /** Reads a key, which the source must be able to hold. */
  public CompletionStage<@Nullable Row> get(StoreKey key) {
    return underEpoch(call -> collection.get(key, call));
  }

  /** Splits the collection into at least so many scan tasks. */
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast) {
    return underEpoch(call -> collection.scanTasks(atLeast, call));
  }

  /** Reads a page of a scan task. */
  public CompletionStage<ScanPage> scan(ScanTask task, @Nullable Bytes position, PageLimit limit) {
    return underEpoch(call -> collection.scan(task, position, limit, call));
  }

  private <T extends @Nullable Object> CompletionStage<T> underEpoch(
      Function<Call, CompletionStage<T>> request) {
    long sent = epoch;
    return request
        .apply(Call.within(timeout).withEpoch(sent))
        .<CompletionStage<T>>handle(
            (answer, failed) -> {
              if (failed == null) {
                return CompletableFuture.completedFuture(answer);
              }
              RuntimeException failure = Await.failure(failed);
              if (failure instanceof StalePhase stale && stale.epoch() > sent) {
                epoch = stale.epoch();
                return request.apply(Call.within(timeout).withEpoch(stale.epoch()));
              }
              return CompletableFuture.failedFuture(failure);
            })
        .thenCompose(Function.identity());
  }
}
