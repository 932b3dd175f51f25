package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.session.Session;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.Layout;
import dev.kvshift.scylla.ScyllaCollection.Shared;
import dev.kvshift.scylla.internal.cql.Dialect;
import dev.kvshift.scylla.internal.cql.ForeignTable;
import dev.kvshift.scylla.internal.cql.StoreCql;
import dev.kvshift.scylla.internal.cql.TableNames;
import dev.kvshift.scylla.internal.lock.LockKeeper;
import dev.kvshift.scylla.internal.lock.ScyllaLocks;
import dev.kvshift.scylla.internal.scan.Sweeper;
import dev.kvshift.scylla.internal.schema.Schema;
import dev.kvshift.scylla.internal.schema.ScyllaMetadata;
import dev.kvshift.scylla.internal.session.DriverErrors;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.scylla.internal.session.ServerClock;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.scylla.internal.session.StoreTimer;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.ImportSettings;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.LockSpaceRecord;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.VersionClock;
import java.time.Instant;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A store: one session on one keyspace. */
final class ScyllaStore implements Store {
  private static final Logger LOG = LoggerFactory.getLogger(ScyllaStore.class);
  private static final int MAX_MAIN_BYTES = 65_529;
  private static final int MAX_SPACE_CHARS = 256;

  /** The number of lock spaces whose floors are kept; those of others are read each time. */
  private static final int MAX_KNOWN_SPACES = 10_000;

  private static final int MAX_CLUSTERING_BYTES = 65_531;
  private static final Set<Capability> CAPABILITIES =
      Collections.unmodifiableSet(
          EnumSet.of(
              Capability.EXPIRY,
              Capability.VERSIONED_WRITES,
              Capability.RANGES,
              Capability.DROP,
              Capability.SCAN,
              Capability.LOCKS,
              Capability.METADATA));

  private static final Set<Capability> CAPABILITIES_KEEPING = withTombstones();

  private final Requests requests;
  private final StoreClock serverClock;
  private final StoreTimer timer;
  private final Schema schema;
  private final ScyllaMetadata metadata;
  private final LockKeeper locks;
  private final Map<String, Long> lockFloors = new ConcurrentHashMap<>();
  private final Limits limits;
  private final CollectionOpener opener;
  private final Shared shared;

  private ScyllaStore(
      Requests requests,
      VersionClock clock,
      StoreClock serverClock,
      StoreTimer timer,
      Schema schema,
      ScyllaMetadata metadata) {
    this.requests = requests;
    this.serverClock = serverClock;
    this.timer = timer;
    this.schema = schema;
    this.metadata = metadata;
    Settings settings = requests.settings();
    Limits own =
        Limits.defaults()
            .withMaxMainBytes(MAX_MAIN_BYTES)
            .withMaxClusteringBytes(MAX_CLUSTERING_BYTES)
            .withMaxValueBytes(settings.maxValueBytes())
            .withMaxInFlight(settings.maxInFlight())
            .withTimeout(settings.timeout());
    limits = schema.cql().dialect().importTombstones().map(own::withTombstoneLifetime).orElse(own);
    locks = new LockKeeper(requests, schema, serverClock);
    Sweeper sweeper = new Sweeper(requests, metadata, clock);
    timer.every(Sweeper.LOOK_EVERY, sweeper::look);
    timer.every(ServerClock.MEASURE_EVERY, serverClock::measure);
    shared = new Shared(requests, clock, serverClock, timer, locks);
    opener = new CollectionOpener(shared, schema, metadata, sweeper, limits);
  }

  private static Set<Capability> withTombstones() {
    EnumSet<Capability> all = EnumSet.copyOf(CAPABILITIES);
    all.add(Capability.TOMBSTONE_READS);
    return Collections.unmodifiableSet(all);
  }

  static ScyllaStore open(
      Settings settings, VersionClock clock, KvObserver observer, OptionsMap options) {
    return over(Sessions.open(settings, options), settings, clock, observer);
  }

  /**
   * Opens a store over a session, which it owns: the session is closed with the store, or if
   * opening fails.
   */
  static ScyllaStore over(
      CqlSession session, Settings settings, VersionClock clock, KvObserver observer) {
    Requests requests = new Requests(session, settings, observer);
    StoreTimer timer = new StoreTimer();
    StoreClock serverClock = ServerClock.of(requests, clock);
    try {
      Dialect dialect = await(Schema.dialect(requests));
      StoreCql cql = new StoreCql(settings.keyspace(), settings.replication(), dialect);
      Schema schema = new Schema(requests, cql);
      boolean tablets = await(schema.ensureKeyspace());
      ScyllaMetadata metadata =
          await(Schema.settled(requests, () -> ScyllaMetadata.open(requests, cql)));
      await(serverClock.measure().handle((skew, failed) -> null)); // or writes measure first
      LOG.info(
          "opened {}: {}, keyspace of {}, consistency {} and {}, timeout {} ms, {}",
          settings,
          dialect,
          tablets ? "tablets" : "vnodes",
          settings.consistency(),
          settings.serialConsistency(),
          settings.timeout().toMillis(),
          Session.OSS_DRIVER_COORDINATES);
      return new ScyllaStore(requests, clock, serverClock, timer, schema, metadata);
    } catch (RuntimeException e) {
      close(timer, requests);
      throw e;
    }
  }

  /**
   * Returns a store of a table that kvshift did not make, which keeps its records in this one's
   * keyspace, and closes this one.
   *
   * @throws KvException.Permanent if the table cannot hold a collection; this store is closed then
   */
  Store of(ForeignTable table) {
    try {
      return new TableStore(this, shared, schema.cql().dialect(), table);
    } catch (RuntimeException e) {
      close();
      throw DriverErrors.ofRead("looking at table " + table.name(), e);
    }
  }

  private static <T> T await(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().join();
    } catch (CompletionException e) {
      throw DriverErrors.ofRead("opening the store", e);
    }
  }

  @Override
  public Set<Capability> capabilities() {
    return requests.settings().keepsDeletes() ? CAPABILITIES_KEEPING : CAPABILITIES;
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public String description() {
    return requests.settings().toString();
  }

  @Override
  public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
    return claim.kind() == Claim.Kind.READ
        ? opener.follow(name, layout)
        : opener.open(name, layout, claim);
  }

  @Override
  public CompletionStage<Void> drop(String name, long incarnation) {
    return Futures.start(
        () -> {
          CompletionStage<Void> dropped = CompletableFuture.completedFuture(null);
          for (String table : tables(name, incarnation).toList()) {
            dropped = dropped.thenCompose(before -> schema.drop(table));
          }
          return dropped;
        });
  }

  /** Returns the tables of a collection: that of its rows, and that of its large values. */
  private static Stream<String> tables(String name, long incarnation) {
    String data = TableNames.data(name, incarnation);
    return TableNames.isDirectory(name)
        ? Stream.of(data)
        : Stream.of(data, TableNames.chunks(name, incarnation));
  }

  @Override
  public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
    return CollectionRecord.activate(metadata, name, copy, floor)
        .thenApply(
            record -> {
              LOG.info(
                  "activated collection {}, whose tables keep their tombstones; once the old store is"
                      + " gone, run: {}",
                  name,
                  tables(name, record.incarnation())
                      .map(table -> schema.endOfImport(table) + ";")
                      .collect(Collectors.joining(" ")));
              return record;
            });
  }

  @Override
  public CompletionStage<ImportSettings> endImport(
      String name, long incarnation, boolean isDryRun) {
    return Futures.start(
        () -> {
          CompletionStage<ImportSettings> ended =
              CompletableFuture.completedFuture(ImportSettings.NONE);
          for (String table : tables(name, incarnation).toList()) {
            ended =
                ended.thenCompose(
                    before -> schema.endImport(table, isDryRun).thenApply(before::and));
          }
          return ended;
        });
  }

  @Override
  public CompletionStage<CollectionRecord> restart(
      String name, Layout layout, Copy copy, Copy next) {
    return CollectionRecord.restart(metadata, name, layout, copy, next);
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> report(InstanceReport report) {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(Capability.GATE, description()));
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> moveAll(Map<String, String> attempts) {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(Capability.FENCING, description()));
  }

  @Override
  public CompletionStage<Instant> serverTime() {
    return ServerClock.read(requests);
  }

  @Override
  public List<Supplier<CompletionStage<Instant>>> serverTimes() {
    return ServerClock.times(requests);
  }

  @Override
  public CompletionStage<Map<String, String>> facts() {
    return schema.facts();
  }

  @Override
  public Metadata metadata() {
    return metadata;
  }

  @Override
  public StoreLocks locks(String space) {
    if (space.isEmpty() || space.length() > MAX_SPACE_CHARS) {
      throw new KvException.Permanent(
          "lock space of " + space.length() + " characters: give 1 to " + MAX_SPACE_CHARS);
    }
    return new ScyllaLocks(space, locks, () -> floor(space), serverClock, limits);
  }

  /** Claims a lock space when its first lock is taken, and returns its floor. */
  private CompletionStage<Long> floor(String space) {
    Long known = lockFloors.get(space);
    return known != null
        ? CompletableFuture.completedFuture(known)
        : LockSpaceRecord.claim(metadata, space)
            .thenApply(
                record -> {
                  if (lockFloors.size() < MAX_KNOWN_SPACES) {
                    lockFloors.put(space, record.floor());
                  }
                  return record.floor();
                });
  }

  @Override
  public void close() {
    close(timer, requests);
  }

  private static void close(StoreTimer timer, Requests requests) {
    timer.close();
    requests.close();
    Sessions.forget(requests.settings(), requests.session().getName());
  }

  @Override
  public String toString() {
    return description();
  }
}
