package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.session.Session;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.VersionClock;
import java.time.Instant;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One session on one keyspace. */
final class ScyllaStore implements Store {
  private static final Logger LOG = LoggerFactory.getLogger(ScyllaStore.class);
  private static final int MAX_MAIN_BYTES = 65_529;
  private static final int MAX_SPACE_CHARS = 256;
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

  private final Requests requests;
  private final VersionClock clock;
  private final StoreCql cql;
  private final Schema schema;
  private final Skew skew;
  private final ScyllaMetadata metadata;
  private final LockKeeper locks;
  private final Sweeper sweeper;
  private final Limits limits;

  private ScyllaStore(
      Requests requests,
      VersionClock clock,
      StoreCql cql,
      Schema schema,
      Skew skew,
      ScyllaMetadata metadata) {
    this.requests = requests;
    this.clock = clock;
    this.cql = cql;
    this.schema = schema;
    this.skew = skew;
    this.metadata = metadata;
    locks = new LockKeeper(skew, () -> LockTable.open(requests, schema, cql));
    sweeper = new Sweeper(requests, metadata, clock);
    skew.every(Sweeper.LOOK_EVERY, sweeper::look);
    Settings settings = requests.settings();
    limits =
        Limits.defaults()
            .withMaxMainBytes(MAX_MAIN_BYTES)
            .withMaxClusteringBytes(MAX_CLUSTERING_BYTES)
            .withMaxValueBytes(settings.maxValueBytes())
            .withMaxInFlight(settings.maxInFlight())
            .withTimeout(settings.timeout());
  }

  static ScyllaStore open(
      Settings settings, VersionClock clock, KvObserver observer, OptionsMap options) {
    return over(Sessions.open(settings, options), settings, clock, observer);
  }

  /** Takes over the session: closes it with the store, or where the store cannot be opened. */
  static ScyllaStore over(
      CqlSession session, Settings settings, VersionClock clock, KvObserver observer) {
    Requests requests = new Requests(session, settings, observer);
    Skew skew = new Skew(requests, clock);
    try {
      Dialect dialect = await(Schema.dialect(requests));
      StoreCql cql = new StoreCql(settings.keyspace(), settings.replication(), dialect);
      Schema schema = new Schema(requests, cql);
      boolean tablets = await(schema.ensureKeyspace());
      ScyllaMetadata metadata =
          await(Schema.settled(requests, () -> ScyllaMetadata.open(requests, cql)));
      await(skew.start());
      LOG.info(
          "opened {}: {}, keyspace of {}, consistency {} and {}, timeout {} ms, {}",
          settings,
          dialect,
          tablets ? "tablets" : "vnodes",
          settings.consistency(),
          settings.serialConsistency(),
          settings.timeout().toMillis(),
          Session.OSS_DRIVER_COORDINATES);
      return new ScyllaStore(requests, clock, cql, schema, skew, metadata);
    } catch (RuntimeException e) {
      close(skew, requests);
      throw e;
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
    return CAPABILITIES;
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
    return requireTable(name, layout)
        .thenCompose(checked -> CollectionRecord.claim(metadata, name, layout, claim))
        .thenCompose(record -> open(name, record, claim));
  }

  /** Before anything is claimed: a new collection has its table, where none may be made. */
  private CompletionStage<Void> requireTable(String name, Layout layout) {
    if (requests.settings().create()) {
      return CompletableFuture.completedFuture(null);
    }
    CollectionCql first;
    try {
      first =
          new CollectionCql(
              cql.keyspace(), TableNames.data(name, 1), layout.shape(), cql.dialect());
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
    return CollectionRecord.read(metadata, name)
        .thenCompose(
            record ->
                record == null
                    ? schema.ensureTable(first, false)
                    : CompletableFuture.completedFuture(null));
  }

  private CompletionStage<StoreCollection> open(String name, CollectionRecord record, Claim claim) {
    boolean importing = record.state() == CollectionRecord.State.IMPORTING;
    CollectionCql table =
        new CollectionCql(
            cql.keyspace(),
            TableNames.data(name, record.incarnation()),
            record.layout().shape(),
            cql.dialect());
    ChunkCql chunkTable =
        TableNames.isDirectory(name)
            ? null
            : new ChunkCql(
                cql.keyspace(), TableNames.chunks(name, record.incarnation()), cql.dialect());
    return schema
        .ensureTable(table, importing)
        .thenCompose(ready -> chunks(chunkTable, importing))
        .thenCompose(
            chunks ->
                Schema.settled(requests, () -> CollectionStatements.prepare(requests, table, clock))
                    .thenApply(
                        statements -> {
                          RowReader reader =
                              new RowReader(name, statements, chunks, requests, clock);
                          if (chunkTable != null) {
                            sweeper.add(chunkTable, reader);
                          }
                          LOG.info(
                              "opened collection {} in table {}.{}: {}, layout {}",
                              name,
                              table.keyspace(),
                              table.table(),
                              record.state().name().toLowerCase(Locale.ROOT),
                              record.layout());
                          return new ScyllaCollection(
                              name,
                              record,
                              claim,
                              statements,
                              chunks,
                              reader,
                              requests,
                              limits,
                              clock,
                              skew,
                              locks);
                        }));
  }

  private CompletionStage<@Nullable Chunks> chunks(@Nullable ChunkCql table, boolean importing) {
    return table == null
        ? CompletableFuture.completedFuture(null)
        : schema
            .ensureChunks(table, importing)
            .thenCompose(
                ready -> Schema.settled(requests, () -> Chunks.prepare(requests, clock, table)));
  }

  @Override
  public CompletionStage<Void> drop(String name, long incarnation) {
    CompletionStage<Void> data;
    try {
      data = schema.drop(TableNames.data(name, incarnation));
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
    return TableNames.isDirectory(name)
        ? data
        : data.thenCompose(dropped -> schema.drop(TableNames.chunks(name, incarnation)));
  }

  @Override
  public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
    return CollectionRecord.activate(metadata, name, copy, floor);
  }

  @Override
  public CompletionStage<CollectionRecord> restart(String name, Copy copy, Copy next) {
    return CollectionRecord.restart(metadata, name, copy, next);
  }

  @Override
  public CompletionStage<Instant> serverTime() {
    return skew.serverTime();
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
    return new ScyllaLocks(space, locks, skew);
  }

  @Override
  public void close() {
    close(skew, requests);
  }

  private static void close(Skew skew, Requests requests) {
    skew.close();
    requests.close();
    Sessions.forget(requests.settings(), requests.session().getName());
  }

  @Override
  public String toString() {
    return description();
  }
}
