package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One open store: the database, its commit pipeline, its gates. Safe for use by many threads; the
 * server and the in-process store are two faces of it.
 */
final class Engine implements AutoCloseable {
  /** The number of the one life of a collection that the store keeps. */
  static final long INCARNATION = 1;

  private static final int CHANGE_THREADS = 2;

  final Reads reads;
  final GateOperations gates;
  final LockOperations locks;
  private final EngineOptions options;
  private final Database database;
  private final Catalog catalog;
  private final CommitPipeline pipeline;
  private final ScheduledExecutorService changeReaders;

  private Engine(EngineOptions options, Database database) {
    this.options = options;
    this.database = database;
    Versions versions =
        new Versions(options.clock(), database.access(open -> open.meta(Versions.ceilingKey())));
    Keys keys = new Keys(options.partitions());
    catalog = new Catalog(database, options.clock().millis());
    pipeline = new CommitPipeline(database, versions, keys, options.sync());
    gates = new GateOperations(pipeline, versions, options.clock());
    locks = new LockOperations(pipeline);
    reads = new Reads(database, keys, options.clock(), options.partitions());
    changeReaders =
        new ScheduledThreadPoolExecutor(
            CHANGE_THREADS,
            task -> {
              Thread thread = new Thread(task, "legacy-changes");
              thread.setDaemon(true);
              return thread;
            });
    pipeline.start(catalog.tables());
  }

  /**
   * Opens or makes the store.
   *
   * @throws KvException.Permanent if it is in use, damaged, or has another number of partitions
   */
  static Engine open(EngineOptions options) {
    Database database = Database.open(options);
    try {
      return new Engine(options, database);
    } catch (RuntimeException e) {
      database.close();
      throw e;
    }
  }

  EngineOptions options() {
    return options;
  }

  Instant now() {
    return options.clock().instant();
  }

  CompletableFuture<Table> collection(String name) {
    return catalog.open(name, pipeline);
  }

  Table requireCollection(int id) {
    return catalog.require(id);
  }

  /** Drops a collection; the store keeps one life of each, so any other is not there. */
  CompletableFuture<@Nullable Void> drop(String name, long incarnation) {
    return incarnation == INCARNATION
        ? catalog.drop(name, pipeline)
        : CompletableFuture.completedFuture(null);
  }

  CompletableFuture<Long> write(
      Table table, StoreKey key, Mutation mutation, long epoch, long deadlineNanos) {
    return pipeline.submit(new WriteOp(table, key, mutation, epoch, deadlineNanos));
  }

  /** Reads changes, waiting for a first one without polling. */
  CompletableFuture<ChangeSource.Batch> changes(
      Table table, long after, int maxBytes, Duration wait) {
    int bytes = Math.max(1, Math.min(maxBytes, LegacyLimits.MAX_CHANGE_BYTES));
    Duration bounded =
        wait.compareTo(LegacyLimits.MAX_CHANGE_WAIT) > 0 ? LegacyLimits.MAX_CHANGE_WAIT : wait;
    CompletableFuture<ChangeSource.Batch> result = new CompletableFuture<>();
    if (attempt(table, after, bytes, result)) {
      return result;
    }
    if (bounded.isNegative() || bounded.isZero()) {
      result.complete(new ChangeSource.Data(List.of(), after));
      return result;
    }
    ChangeWaiter waiter = new ChangeWaiter(table, after, bytes, result);
    var timer =
        changeReaders.schedule(
            () -> result.complete(new ChangeSource.Data(List.of(), after)),
            bounded.toNanos(),
            TimeUnit.NANOSECONDS);
    result.whenComplete(
        (batch, error) -> {
          timer.cancel(false);
          table.changeWaiters.remove(waiter);
        });
    waiter.await();
    return result;
  }

  /**
   * Waits for a change. May be woken for a position that its reader has already: a reader that
   * comes while earlier ones are being woken stands in the same queue. It then waits again.
   */
  private final class ChangeWaiter implements Runnable {
    private final Table table;
    private final long after;
    private final int bytes;
    private final CompletableFuture<ChangeSource.Batch> result;

    ChangeWaiter(Table table, long after, int bytes, CompletableFuture<ChangeSource.Batch> result) {
      this.table = table;
      this.after = after;
      this.bytes = bytes;
      this.result = result;
    }

    void await() {
      table.changeWaiters.add(this);
      if ((result.isDone() || table.publishedPosition() > after)
          && table.changeWaiters.remove(this)) {
        run();
      }
    }

    @Override
    public void run() {
      changeReaders.execute(
          () -> {
            if (!result.isDone() && !attempt(table, after, bytes, result) && !result.isDone()) {
              await();
            }
          });
    }
  }

  private boolean attempt(
      Table table, long after, int bytes, CompletableFuture<ChangeSource.Batch> result) {
    try {
      ChangeSource.Batch batch = reads.changes(table, after, bytes);
      return batch != null && result.complete(batch);
    } catch (KvException e) {
      return result.completeExceptionally(e);
    }
  }

  /** Ends what waits with an error, what is being committed as it should, and closes the files. */
  @Override
  public void close() {
    pipeline.close();
    changeReaders.shutdownNow();
    for (Table table : catalog.tables()) {
      table.changeWaiters.clear();
    }
    database.close();
  }
}
