package dev.kvshift.migrate.internal.context;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The target's collection with the target's time-out on each request. Safe for use by many threads.
 */
public final class TargetCollection {
  private final StoreCollection collection;
  private final Duration timeout;

  /** Wraps a collection of the store. */
  public TargetCollection(Store store, StoreCollection collection) {
    this.collection = collection;
    this.timeout = store.limits().timeout();
  }

  /** Reads a key. */
  public CompletionStage<@Nullable Row> get(StoreKey key) {
    return collection.get(key, call());
  }

  /** Writes a row at its own version. */
  public CompletionStage<Long> write(Row row) {
    return collection.write(row.key(), row.toMutation(), call());
  }

  /** Splits the collection into at least so many scan tasks. */
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast) {
    return collection.scanTasks(atLeast, call());
  }

  /** Reads a page of a scan task. */
  public CompletionStage<ScanPage> scan(ScanTask task, @Nullable Bytes position, PageLimit limit) {
    return collection.scan(task, position, limit, call());
  }

  /** Returns the token of a key; {@code Permanent} if the target can never hold the key. */
  public long token(StoreKey key) {
    return collection.token(key);
  }

  private Call call() {
    return Call.within(timeout);
  }
}
