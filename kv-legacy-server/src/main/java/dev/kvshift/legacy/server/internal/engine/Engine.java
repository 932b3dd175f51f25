package dev.kvshift.legacy.server.internal.engine;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.commit.Catalog;
import dev.kvshift.legacy.server.internal.commit.CommitPipeline;
import dev.kvshift.legacy.server.internal.commit.GateOperations;
import dev.kvshift.legacy.server.internal.commit.LockOperations;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.commit.Versions;
import dev.kvshift.legacy.server.internal.commit.WriteOp;
import dev.kvshift.legacy.server.internal.read.Reads;
import dev.kvshift.legacy.server.internal.retention.ChangeRetention;
import dev.kvshift.legacy.server.internal.retention.Survey;
import dev.kvshift.legacy.server.internal.retention.Upkeep;
import dev.kvshift.legacy.server.internal.retention.Usage;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.wire.Changes;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One open store: the database, its commit pipeline, its gates. Safe for use by many threads; the
 * server and the in-process store are two faces of it.
 */
public final class Engine implements AutoCloseable {
  /** The number of the one life of a collection that the store keeps. */
  public static final long INCARNATION = 1;

  private static final int CHANGE_THREADS = 2;
  private static final System.Logger LOG = System.getLogger(Engine.class.getName());

  public final Reads reads;
  public final GateOperations gates;
  public final LockOperations locks;
  public final ChangeRetention consumers;
  public final Survey survey;
  public final Usage usage;
  private final EngineOptions options;
  private final Database database;
  private final Catalog catalog;
  public final CommitPipeline pipeline;
  private final ScheduledExecutorService changeReaders;
  public final Upkeep upkeep;

  private Engine(EngineOptions options, Database database) {
    this.options = options;
    this.database = database;
    Versions versions =
        new Versions(options.clock(), database.access(open -> open.meta(Versions.ceilingKey())));
    Keys keys = new Keys(options.partitions());
    catalog = new Catalog(database, options.clock());
    pipeline = new CommitPipeline(database, catalog, versions, keys, options);
    gates = new GateOperations(pipeline, versions, options.clock());
    reads = new Reads(database, keys, options.clock(), options.partitions());
    usage = new Usage(database, catalog, pipeline, options.clock());
    changeReaders =
        new ScheduledThreadPoolExecutor(
            CHANGE_THREADS,
            task -> {
              Thread thread = new Thread(task, "legacy-changes");
              thread.setDaemon(true);
              return thread;
            });
    consumers = new ChangeRetention(database, pipeline, reads, changeReaders, options);
    survey = new Survey(database, pipeline, options);
    locks = new LockOperations(database, catalog, pipeline, gates, changeReaders);
    pipeline.start();
    usage.begin();
    upkeep = new Upkeep(catalog, consumers, survey, usage);
  }

  /**
   * Opens or makes the store.
   *
   * @throws KvException.Permanent if it is in use, damaged, or has another number of partitions
   */
  public static Engine open(EngineOptions options) {
    Database database = Database.open(options);
    try {
      return new Engine(options, database);
    } catch (RuntimeException e) {
      database.close();
      throw e;
    }
  }

  public EngineOptions options() {
    return options;
  }

  public Instant now() {
    return options.clock().instant();
  }

  /** Returns the identity of a collection's change log up to a position. */
  public CompletableFuture<String> logId(Table table, long position) {
    return catalog.logId(table, position, pipeline);
  }

  public CompletableFuture<Table> collection(String name) {
    return catalog.open(name, pipeline);
  }

  /** Hands a collection or a lock space over. */
  public CompletableFuture<Gate.State> move(Table table, String attempt) {
    return table.isLockSpace() ? locks.move(table, attempt) : gates.move(table, attempt);
  }

  /** Returns the epoch of a collection; 0 where there is none. */
  public long epoch(int id) {
    Table table = catalog.byId(id);
    return table == null ? 0 : table.publishedGate().state().epoch();
  }

  /**
   * Returns the collection of the name.
   *
   * @throws KvException.Permanent if there is none
   */
  public Table knownCollection(String name) {
    Table table = catalog.byName(name);
    if (table == null) {
      throw new KvException.Permanent("there is no collection " + name + ": check its name");
    }
    return table;
  }

  public Table requireCollection(int id) {
    return catalog.require(id);
  }

  /** Drops a collection; the store keeps one life of each, so any other is not there. */
  public CompletableFuture<@Nullable Void> drop(String name, long incarnation) {
    return incarnation == INCARNATION
        ? catalog.drop(name, pipeline)
        : CompletableFuture.completedFuture(null);
  }

  public CompletableFuture<Long> write(
      Table table, StoreKey key, Mutation mutation, long epoch, long deadlineNanos) {
    return pipeline.submit(new WriteOp(table, key, mutation, epoch, deadlineNanos));
  }

  /** Reads changes, waiting for a first one without polling. */
  public CompletableFuture<ChangeSource.Batch> changes(
      Table table, long after, int maxBytes, Duration wait) {
    return changes(table, after, maxBytes, wait, Messages::changes);
  }

  /** Reads changes, and gives what the function makes of them as the network carries them. */
  public <T> CompletableFuture<T> changes(
      Table table, long after, int maxBytes, Duration wait, Function<Changes, T> as) {
    int bytes = Math.max(1, Math.min(maxBytes, LegacyLimits.MAX_CHANGE_BYTES));
    Duration bounded = LegacyLimits.bounded(wait);
    Wanted<T> wanted = new Wanted<>(table, after, bytes, as, new CompletableFuture<>());
    CompletableFuture<T> result = wanted.result;
    if (attempt(wanted)) {
      return result;
    }
    if (bounded.isZero()) {
      wanted.giveUp();
      return result;
    }
    AtomicReference<@Nullable Runnable> waiter = new AtomicReference<>();
    enlist(wanted, waiter);
    var timer =
        changeReaders.schedule(() -> wanted.giveUp(), bounded.toNanos(), TimeUnit.NANOSECONDS);
    result.whenComplete(
        (batch, error) -> {
          timer.cancel(false);
          table.changeWaiters.remove(waiter.get());
        });
    return result;
  }

  /** A read of changes that has not been answered. */
  private record Wanted<T>(
      Table table, long after, int maxBytes, Function<Changes, T> as, CompletableFuture<T> result) {
    boolean giveUp() {
      return result.complete(as.apply(Changes.newBuilder().setPosition(after).build()));
    }
  }

  /**
   * Tries again when something is published, and waits on where that was nothing new: the wake-up
   * of one position can meet a reader who has it already.
   */
  private void enlist(Wanted<?> wanted, AtomicReference<@Nullable Runnable> current) {
    Runnable waiter =
        () ->
            changeReaders.execute(
                () -> {
                  if (!wanted.result.isDone() && !attempt(wanted)) {
                    enlist(wanted, current);
                  }
                });
    current.set(waiter);
    wanted.table.changeWaiters.add(waiter);
    boolean late = wanted.result.isDone() || wanted.table.publishedPosition() > wanted.after;
    if (late && wanted.table.changeWaiters.remove(waiter)) {
      waiter.run();
    }
  }

  private <T> boolean attempt(Wanted<T> wanted) {
    try {
      Changes found = reads.changes(wanted.table, wanted.after, wanted.maxBytes);
      return found != null
          && (wanted.result.complete(wanted.as.apply(found)) || wanted.result.isDone());
    } catch (KvException e) {
      return wanted.result.completeExceptionally(e);
    }
  }

  /** Ends what waits with an error, what is being committed as it should, and closes the files. */
  @Override
  public void close() {
    upkeep.close();
    try {
      usage.save();
    } catch (KvException e) {
      LOG.log(System.Logger.Level.WARNING, "the last uses of the store were not stored", e);
    }
    pipeline.close();
    changeReaders.shutdownNow();
    for (Table table : catalog.tables()) {
      table.changeWaiters.clear();
    }
    database.close();
  }
}
