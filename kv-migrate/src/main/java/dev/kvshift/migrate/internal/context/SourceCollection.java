package dev.kvshift.migrate.internal.context;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The source's collection as the runner reads it: under the gate's current epoch, also after the
 * move. Safe for use by many threads.
 */
public final class SourceCollection {
  private final StoreCollection collection;
  private final Duration timeout;
  private final boolean registers;
  private volatile long epoch;

  public SourceCollection(Store store, StoreCollection collection, long epoch) {
    this.collection = collection;
    this.timeout = store.limits().timeout();
    this.registers = store.capabilities().contains(Capability.CHANGE_CONSUMERS);
    this.epoch = epoch;
  }

  /** Returns the gate's epoch, as far as it is known here. */
  public long epoch() {
    return epoch;
  }

  public Gate gate() {
    return collection.gate();
  }

  /** Returns a version that the leader may give now, and above which it has given none. */
  public long newestVersion() {
    return Await.of(gate().state()).versionCeiling();
  }

  public ChangeSource changes() {
    return collection.changes();
  }

  /**
   * Tells a source that registers its consumers how far one has come.
   *
   * @return how long what it needs next is retained yet; null where the source cannot tell
   */
  public CompletionStage<@Nullable Duration> consumed(String consumer, long upTo) {
    return registers
        ? changes().consumed(consumer, upTo).thenApply(left -> left)
        : CompletableFuture.completedFuture(null);
  }

  /** Has a source that registers its consumers forget one. */
  public CompletionStage<@Nullable Void> forget(String consumer) {
    return registers ? changes().forget(consumer) : CompletableFuture.completedFuture(null);
  }

  public CompletionStage<@Nullable Row> get(StoreKey key) {
    return underEpoch(call -> collection.get(key, call));
  }

  public CompletionStage<List<ScanTask>> scanTasks(int atLeast) {
    return underEpoch(call -> collection.scanTasks(atLeast, call));
  }

  public CompletionStage<ScanPage> scan(ScanTask task, @Nullable Bytes position, PageLimit limit) {
    return underEpoch(call -> collection.scan(task, position, limit, call));
  }

  private <T extends @Nullable Object> CompletionStage<T> underEpoch(
      Function<Call, CompletionStage<T>> request) {
    long asked = epoch;
    return request
        .apply(Call.within(timeout).withEpoch(asked))
        .<CompletionStage<T>>handle(
            (answer, failed) -> {
              if (failed == null) {
                return CompletableFuture.completedFuture(answer);
              }
              RuntimeException failure = Await.failure(failed);
              if (failure instanceof StalePhase stale && stale.epoch() > asked) {
                epoch = stale.epoch();
                return request.apply(Call.within(timeout).withEpoch(stale.epoch()));
              }
              return CompletableFuture.failedFuture(failure);
            })
        .thenCompose(Function.identity());
  }
}
