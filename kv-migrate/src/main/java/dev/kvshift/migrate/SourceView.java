package dev.kvshift.migrate;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
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
final class SourceView {
  private final StoreCollection collection;
  private final Duration timeout;
  private volatile long epoch;

  SourceView(StoreCollection collection, Duration timeout, long epoch) {
    this.collection = collection;
    this.timeout = timeout;
    this.epoch = epoch;
  }

  /** Returns the gate's epoch, as far as it is known here. */
  long epoch() {
    return epoch;
  }

  Gate gate() {
    return collection.gate();
  }

  /** Returns a version that the leader may give now, and above which it has given none. */
  long newestVersion() {
    return Await.of(gate().state()).versionCeiling();
  }

  ChangeSource changes() {
    return collection.changes();
  }

  CompletionStage<@Nullable Row> get(StoreKey key) {
    return underEpoch(call -> collection.get(key, call));
  }

  CompletionStage<List<ScanTask>> scanTasks(int atLeast) {
    return underEpoch(call -> collection.scanTasks(atLeast, call));
  }

  CompletionStage<ScanPage> scan(ScanTask task, @Nullable Bytes position, PageLimit limit) {
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
              if (failure instanceof KvException.StalePhase stale && stale.epoch() > asked) {
                epoch = stale.epoch();
                return request.apply(Call.within(timeout).withEpoch(stale.epoch()));
              }
              return CompletableFuture.failedFuture(failure);
            })
        .thenCompose(Function.identity());
  }
}
