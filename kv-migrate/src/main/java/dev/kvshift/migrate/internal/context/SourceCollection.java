package dev.kvshift.migrate.internal.context;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Gate;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The source's collection, read without regard to its gate: the runner compares and repairs from it
 * even after it is sealed or handed over. Safe for use by many threads.
 */
public final class SourceCollection {
  private final Store store;
  private final StoreCollection collection;
  private final Duration timeout;
  private final boolean registersConsumers;
  private final long epoch;

  /** Wraps a collection of the store, whose gate is at an epoch. */
  public SourceCollection(Store store, StoreCollection collection, long epoch) {
    this.store = store;
    this.collection = collection;
    this.timeout = store.limits().timeout();
    this.registersConsumers = store.capabilities().contains(Capability.CHANGE_CONSUMERS);
    this.epoch = epoch;
  }

  /** Returns what reads the clock of each of the store's servers. */
  public List<Supplier<CompletionStage<Instant>>> serverTimes() {
    return store.serverTimes();
  }

  /** Returns the gate's epoch when the run began. */
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
   * Reports to the source the position up to which a consumer has read.
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

  /** Returns whether a deleted or expired row can be read as a tombstone. */
  public boolean showsDeletes() {
    return store.capabilities().contains(Capability.TOMBSTONE_READS);
  }

  /** Reads a key, which the source must be able to hold. */
  public CompletionStage<@Nullable Row> get(StoreKey key) {
    return collection.get(key, call());
  }

  /** Checks that the side can hold rows of a main key; see {@link MainKey#require}. */
  public void requireMain(Bytes main) {
    MainKey.require(collection, main);
  }

  /** Reads a page of the rows of a main key; see {@link MainKey#page}. */
  public CompletionStage<RowPage> page(Bytes main, Range range, PageLimit limit) {
    return MainKey.page(collection, main, range, limit, call());
  }

  /** Splits the collection into at least the given number of scan tasks. */
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast) {
    return collection.scanTasks(atLeast, call());
  }

  /** Reads a page of a scan task. */
  public CompletionStage<ScanPage> scan(ScanTask task, @Nullable Bytes position, PageLimit limit) {
    return collection.scan(task, position, limit, call());
  }

  private Call call() {
    return Call.within(timeout).ungated();
  }
}
