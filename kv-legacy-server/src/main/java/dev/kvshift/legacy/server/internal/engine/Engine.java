package dev.kvshift.legacy.server.internal.engine;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.legacy.server.internal.commit.Catalog;
import dev.kvshift.legacy.server.internal.commit.CatalogOperations;
import dev.kvshift.legacy.server.internal.commit.CommitPipeline;
import dev.kvshift.legacy.server.internal.commit.GateOperations;
import dev.kvshift.legacy.server.internal.commit.LockOperations;
import dev.kvshift.legacy.server.internal.commit.MetadataOperations;
import dev.kvshift.legacy.server.internal.commit.RowWrite;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.commit.Versions;
import dev.kvshift.legacy.server.internal.read.Reads;
import dev.kvshift.legacy.server.internal.retention.ChangeRetention;
import dev.kvshift.legacy.server.internal.retention.Maintenance;
import dev.kvshift.legacy.server.internal.retention.RowSweeper;
import dev.kvshift.legacy.server.internal.retention.Usage;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.LeaderClock;
import dev.kvshift.legacy.wire.Changes;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An open store: its files, its commit pipeline and everything that builds on them. The server and
 * the in-process store are two front ends of it. Safe for use by many threads.
 */
public final class Engine implements AutoCloseable {
  /** The incarnation of a collection that has no record. */
  public static final long INCARNATION = CatalogOperations.INCARNATION;

  private static final int CHANGE_THREADS = 2;
  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

  private final EngineOptions options;
  private final LeaderClock clock;
  private final Database database;
  private final Catalog catalog;
  private final CommitPipeline pipeline;
  private final CatalogOperations collections;
  private final GateOperations gates;
  private final MetadataOperations metadata;
  private final LockOperations locks;
  private final Reads reads;
  private final ChangeRetention consumers;
  private final RowSweeper rowSweeper;
  private final Usage usage;
  private final Maintenance maintenance;
  private final ScheduledExecutorService changeReaders;

  private Engine(EngineOptions options, Database database) {
    this.options = options;
    this.database = database;
    clock = new LeaderClock(options.time());
    Versions versions =
        new Versions(clock, database.access(open -> open.meta(Versions.ceilingKey())));
    Keys keys = new Keys(options.partitions());
    catalog = new Catalog(database, clock);
    pipeline = new CommitPipeline(database, catalog, versions, keys, options);
    collections = new CatalogOperations(catalog, pipeline);
    gates = new GateOperations(pipeline, versions, clock);
    metadata = new MetadataOperations(database, catalog, pipeline);
    reads = new Reads(database, keys, clock, options.partitions());
    usage = new Usage(database, catalog, pipeline, clock);
    ScheduledThreadPoolExecutor readers =
        new ScheduledThreadPoolExecutor(
            CHANGE_THREADS,
            task -> {
              Thread thread = new Thread(task, "legacy-changes");
              thread.setDaemon(true);
              return thread;
            });
    // Otherwise the timer of an answered read stays in memory until it expires.
    readers.setRemoveOnCancelPolicy(true);
    changeReaders = readers;
    consumers =
        new ChangeRetention(database, pipeline, reads, changeReaders, clock, options.retention());
    rowSweeper = new RowSweeper(database, pipeline, clock, options);
    locks = new LockOperations(database, collections, pipeline, gates, changeReaders);
    pipeline.start();
    usage.begin();
    maintenance = new Maintenance(catalog, consumers, rowSweeper, usage);
  }

  /**
   * Opens a store, which is created if it does not exist.
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

  public CommitPipeline pipeline() {
    return pipeline;
  }

  public GateOperations gates() {
    return gates;
  }

  public MetadataOperations metadata() {
    return metadata;
  }

  public LockOperations locks() {
    return locks;
  }

  public Reads reads() {
    return reads;
  }

  public ChangeRetention consumers() {
    return consumers;
  }

  public Database database() {
    return database;
  }

  public RowSweeper rowSweeper() {
    return rowSweeper;
  }

  public Usage usage() {
    return usage;
  }

  public Maintenance maintenance() {
    return maintenance;
  }

  /** Returns the store's time. */
  public Instant now() {
    return clock.instant();
  }

  /** Returns a collection for a service, which is created if it does not exist. */
  public CompletableFuture<Table> collection(String name) {
    return collections.open(name, 0);
  }

  /**
   * Returns a collection for a driver that keeps records, created if it does not exist.
   *
   * @param incarnation the incarnation that its record names
   */
  public CompletableFuture<Table> collection(String name, long incarnation) {
    return collections.open(name, incarnation);
  }

  /**
   * Returns the collection with a name for a service.
   *
   * @throws KvException.Permanent if it does not exist, or a migration fills it
   */
  public Table servingCollection(String name) {
    Table table = knownCollection(name);
    table.requireServing();
    return table;
  }

  /**
   * Returns the collection with a name.
   *
   * @throws KvException.Permanent if it does not exist
   */
  public Table knownCollection(String name) {
    Table table = catalog.byName(name);
    if (table == null) {
      throw new KvException.Permanent("there is no collection " + name + ": check its name");
    }
    return table;
  }

  /**
   * Returns the collection with a number.
   *
   * @throws KvException.Permanent if it does not exist
   */
  public Table requireCollection(int id) {
    return catalog.require(id);
  }

  /** Returns the collection that represents a lock space; null if it was never used. */
  public @Nullable Table lockSpace(String space) {
    return catalog.byName(Table.LOCK_SPACE_PREFIX + space);
  }

  /** Returns whether a collection or a lock space of that name exists. */
  public boolean isCollection(String name) {
    return catalog.byName(name) != null;
  }

  /** Returns whether a collection or a lock space with that number exists. */
  public boolean isCollection(int id) {
    return catalog.byId(id) != null;
  }

  /** Returns the name of the collection with a number; empty if it does not exist. */
  public String name(int id) {
    Table table = catalog.byId(id);
    return table == null ? "" : table.name();
  }

  /** Forgets the listeners of a store that is closed. */
  public void forget(Object owner) {
    catalog.tables().forEach(table -> table.forget(owner));
  }

  /** Returns the epoch of the collection with a number; 0 if it does not exist. */
  public long epoch(int id) {
    Table table = catalog.byId(id);
    return table == null ? 0 : table.publishedGate().state().epoch();
  }

  /** Returns the identity of a collection's change log up to a position. */
  public CompletableFuture<String> logId(Table table, long position) {
    return collections.logId(table, position);
  }

  /** Drops a collection, and does nothing if it never had the incarnation. */
  public CompletableFuture<@Nullable Void> drop(String name, long incarnation) {
    return collections.drop(name, incarnation);
  }

  /**
   * Records an instance's report and returns the states of its collections; a collection that does
   * not exist has none.
   */
  public CompletableFuture<Map<String, Gate.State>> report(InstanceReport report) {
    Map<String, Gate.State> states = new ConcurrentSkipListMap<>();
    List<CompletableFuture<Void>> reported = new ArrayList<>();
    for (String collection : report.uses().keySet()) {
      Table table = catalog.byName(collection);
      if (table != null) {
        reported.add(
            gates.report(table, report).thenAccept(state -> states.put(collection, state)));
      }
    }
    return CompletableFuture.allOf(reported.toArray(CompletableFuture[]::new))
        .thenApply(all -> states);
  }

  /** Moves several collections to the new store in one step, each with its attempt: all or none. */
  public CompletableFuture<Map<String, Gate.State>> moveAll(Map<String, String> attempts) {
    Map<Table, String> tables = new LinkedHashMap<>();
    new TreeMap<>(attempts)
        .forEach((collection, attempt) -> tables.put(knownCollection(collection), attempt));
    return gates.moveAll(tables);
  }

  /**
   * Records a data request of a client that has not reported the collection, which may not exist.
   */
  public void noteClient(int collection, String client) {
    Table table = catalog.byId(collection);
    if (table != null) {
      gates.noteClient(table, client);
    }
  }

  /** Moves a collection or a lock space to the new store. */
  public CompletableFuture<Gate.State> move(Table table, String attempt) {
    return table.isLockSpace() ? locks.move(table, attempt) : gates.move(table, attempt);
  }

  /** Writes a row whose key and value have been checked. Returns its version. */
  public CompletableFuture<Long> write(Table table, StoreKey key, Mutation mutation, Call call) {
    Lock lock = mutation.lock();
    Table lockSpace = lock == null ? null : lockSpace(lock.space());
    return pipeline.submit(RowWrite.of(table, key, mutation, lockSpace, call));
  }

  /** Reads changes. Waits for the first one without polling. */
  public CompletableFuture<ChangeSource.Batch> changes(
      Table table, long after, int maxBytes, Duration wait) {
    return changes(table, after, maxBytes, wait, Messages::changes, Reads.Admission.OPEN);
  }

  /**
   * Reads changes in the form in which the network carries them, and converts them.
   *
   * @param admission decides on a first change that is larger than the limit, before it is read
   */
  public <T> CompletableFuture<T> changes(
      Table table,
      long after,
      int maxBytes,
      Duration wait,
      Function<Changes, T> conversion,
      Reads.Admission admission) {
    int bytes = Math.max(1, Math.min(maxBytes, LegacyLimits.MAX_CHANGE_BYTES));
    Duration bounded = LegacyLimits.bounded(wait);
    Wanted<T> wanted =
        new Wanted<>(table, after, bytes, conversion, admission, new CompletableFuture<>());
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
          Runnable last = waiter.get();
          if (last != null) {
            table.removeChangeWaiter(last);
          }
        });
    return result;
  }

  /** A read of changes that has not been answered. */
  private record Wanted<T>(
      Table table,
      long after,
      int maxBytes,
      Function<Changes, T> conversion,
      Reads.Admission admission,
      CompletableFuture<T> result) {
    boolean giveUp() {
      return result.complete(conversion.apply(Changes.newBuilder().setPosition(after).build()));
    }
  }

  /**
   * Retries the read when a change has been published, and waits again if it finds nothing: the
   * notification of a position can reach a reader that has read it already.
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
    wanted.table.addChangeWaiter(waiter);
    boolean late = wanted.result.isDone() || wanted.table.publishedPosition() > wanted.after;
    if (late && wanted.table.removeChangeWaiter(waiter)) {
      waiter.run();
    }
  }

  private <T> boolean attempt(Wanted<T> wanted) {
    try {
      Changes found = reads.changes(wanted.table, wanted.after, wanted.maxBytes, wanted.admission);
      return found != null
          && (wanted.result.complete(wanted.conversion.apply(found)) || wanted.result.isDone());
    } catch (KvException e) {
      return wanted.result.completeExceptionally(e);
    }
  }

  /** Refuses the waiting operations, finishes the batch in progress, and closes the files. */
  @Override
  public void close() {
    maintenance.close();
    try {
      usage.save();
    } catch (KvException e) {
      LOG.warn("the last usage statistics were not stored", e);
    }
    pipeline.close();
    changeReaders.shutdownNow();
    for (Table table : catalog.tables()) {
      table.clearChangeWaiters();
    }
    database.close();
  }
}
