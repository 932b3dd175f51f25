package dev.kvshift.scylla.internal.schema;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.metadata.NodeState;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import com.datastax.oss.driver.api.core.session.Session;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.scylla.internal.cql.ChunkCql;
import dev.kvshift.scylla.internal.cql.CollectionCql;
import dev.kvshift.scylla.internal.cql.Dialect;
import dev.kvshift.scylla.internal.cql.StoreCql;
import dev.kvshift.scylla.internal.cql.TableNames;
import dev.kvshift.scylla.internal.cql.Tombstones;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.ImportSettings;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Creates and checks the keyspace and its tables. Every process sends its changes to the same node,
 * the one with the smallest id, because Cassandra does not cope with two nodes that create one
 * table at the same time.
 */
public final class Schema {
  private static final Duration CHANGE_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration TRY_AGAIN_AFTER = Duration.ofMillis(200);
  private static final int TRIES = 10;
  private static final String METADATA_COLUMNS =
      "{attempt=regular blob, grp=partition_key text, name=clustering text, record=regular blob}";
  private static final String LOCK_COLUMNS =
      "{expires=regular bigint, granted=regular bigint, k=partition_key blob,"
          + " least=regular bigint, owner=regular text, space=partition_key text}";
  private static final String POINT_COLUMNS = "{main=partition_key blob, v=regular blob}";
  private static final String RANGE_COLUMNS =
      "{clustering=clustering blob, main=partition_key blob, shard=partition_key blob,"
          + " v=regular blob}";

  private static final String CHUNK_COLUMNS =
      "{c=regular blob, id=partition_key blob, n=clustering int}";

  /** The use for which a collection's table is opened. */
  public enum TableUse {
    /** Live reads and writes. */
    LIVE,
    /** The writes of a migration, which need its tombstones. */
    IMPORT,
    /** Reads of a table that a migration fills. */
    READ_IMPORT
  }

  private final Requests requests;
  private final StoreCql cql;
  private volatile Tombstones live = Tombstones.SEVERAL_COPIES;

  public Schema(Requests requests, StoreCql cql) {
    this.requests = requests;
    this.cql = cql;
  }

  /** Returns the statements of the keyspace. */
  public StoreCql cql() {
    return cql;
  }

  /**
   * Reads the server's product and features, from tables that every role may read: ScyllaDB's nodes
   * report their features, and Cassandra has no such column.
   */
  public static CompletionStage<Dialect> dialect(Requests requests) {
    return requests
        .read("reading the server's features", internal(StoreCql.FEATURES), requests.call())
        .thenCompose(local -> scylla(requests, text(local)))
        .exceptionallyCompose(
            error ->
                Futures.unwrap(error).getCause() instanceof InvalidQueryException
                    ? cassandra(requests)
                    : CompletableFuture.failedFuture(Futures.unwrap(error)));
  }

  private static CompletionStage<Dialect> cassandra(Requests requests) {
    return requests
        .read("reading the server's version", internal(StoreCql.CASSANDRA_VERSION), requests.call())
        .thenApply(result -> Dialect.cassandra(text(result)));
  }

  private static CompletionStage<Dialect> scylla(Requests requests, String local) {
    return requests
        .readAll(
            "reading the features of all nodes",
            internal(StoreCql.FEATURES_OF_PEERS),
            requests.call())
        .thenApply(
            rows -> {
              List<String> features = new ArrayList<>(List.of(local));
              for (Row row : rows) {
                String ofPeer = row.getString(0);
                if (ofPeer != null) {
                  features.add(ofPeer);
                }
              }
              return Dialect.scylla(features);
            });
  }

  /**
   * Ensures that the keyspace and its metadata table exist, and creates them if the settings allow
   * it. Returns whether the keyspace consists of tablets.
   */
  public CompletionStage<Boolean> ensureKeyspace() {
    return replication()
        .thenCompose(
            replication -> {
              live = tombstones(replication.orElse(null));
              return replication.isPresent()
                  ? CompletableFuture.<Void>completedFuture(null)
                  : create("keyspace " + cql.keyspace(), cql.createKeyspace());
            })
        .thenCompose(made -> tablets())
        .thenCompose(
            tablets ->
                ensure(TableNames.METADATA, METADATA_COLUMNS, cql.createMetadata(live))
                    .thenApply(ready -> tablets));
  }

  /** Reads the replication of the keyspace; empty if there is no such keyspace. */
  private CompletionStage<Optional<Map<String, String>>> replication() {
    return requests
        .read(
            "looking for keyspace " + cql.keyspace(),
            internal(StoreCql.KEYSPACE, cql.keyspace()).setNode(schemaNode()),
            requests.call())
        .thenApply(
            found ->
                Optional.ofNullable(found.one())
                    .map(
                        row ->
                            Objects.requireNonNullElse(
                                row.getMap(0, String.class, String.class), Map.of())));
  }

  /** Reads what the cluster is and how this session uses it; see {@code Store.facts}. */
  public CompletionStage<Map<String, String>> facts() {
    return replication().thenCombine(tablets(), this::facts);
  }

  private Map<String, String> facts(Optional<Map<String, String>> replication, boolean tablets) {
    Settings settings = requests.settings();
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("server", cql.dialect() + ", driver " + Session.OSS_DRIVER_COORDINATES.getVersion());
    SortedMap<String, String> copies = new TreeMap<>(replication.orElse(Map.of()));
    copies.remove("class");
    facts.put(
        "keyspace",
        cql.keyspace() + ", " + (tablets ? "tablets" : "vnodes") + ", replicas " + copies);
    facts.put("datacenter", settings.localDatacenter() + " of " + nodes());
    facts.put("consistency", settings.consistency() + ", serial " + settings.serialConsistency());
    facts.put("user", settings.string().user() == null ? "none" : settings.string().user());
    facts.put("encryption", settings.tls() ? "TLS" : "none");
    return facts;
  }

  /** Describes the nodes of each datacenter, as in {@code dc1 (3 nodes), dc2 (2 of 3 nodes up)}. */
  private String nodes() {
    SortedMap<String, List<Node>> datacenters = new TreeMap<>();
    for (Node node : requests.session().getMetadata().getNodes().values()) {
      datacenters
          .computeIfAbsent(String.valueOf(node.getDatacenter()), added -> new ArrayList<>())
          .add(node);
    }
    StringJoiner described = new StringJoiner(", ");
    datacenters.forEach(
        (name, nodes) -> {
          long up = nodes.stream().filter(node -> node.getState() != NodeState.DOWN).count();
          String count = nodes.size() + (nodes.size() == 1 ? " node" : " nodes");
          described.add(
              name
                  + (up == nodes.size()
                      ? " (" + count + ")"
                      : " (" + up + " of " + count + " up)"));
        });
    return described.toString();
  }

  /**
   * Returns the state by which live tables of a keyspace keep tombstones. The keyspace is created
   * if it is null.
   */
  private Tombstones tombstones(@Nullable Map<String, String> replication) {
    List<String> copies = new ArrayList<>();
    if (replication == null) {
      cql.replication().values().forEach(count -> copies.add(String.valueOf(count)));
    } else {
      replication.forEach(
          (datacenter, count) -> {
            if (!datacenter.equals("class") && !count.equals("0")) {
              copies.add(count);
            }
          });
    }
    return copies.equals(List.of("1")) ? Tombstones.ONE_COPY : Tombstones.SEVERAL_COPIES;
  }

  public CompletionStage<Void> ensureLocks() {
    return ensure(TableNames.LOCKS, LOCK_COLUMNS, cql.createLocks(live));
  }

  public CompletionStage<Void> ensureChunks(ChunkCql chunks, TableUse use) {
    return ensure(chunks.table(), CHUNK_COLUMNS, chunks.create(tombstones(use)))
        .thenCompose(ready -> ensureTombstones(chunks.table(), use));
  }

  public CompletionStage<Void> ensureTable(CollectionCql table, TableUse use) {
    return ensure(
            table.table(),
            table.shape() == Shape.POINT ? POINT_COLUMNS : RANGE_COLUMNS,
            table.create(tombstones(use)))
        .thenCompose(ready -> ensureTombstones(table.table(), use));
  }

  private Tombstones tombstones(TableUse use) {
    return use == TableUse.LIVE ? live : Tombstones.IMPORTING;
  }

  /** Returns the statement after which a table keeps its tombstones no longer than a live one. */
  public String endOfImport(String table) {
    return cql.alter(table, live);
  }

  /**
   * Ensures that a table keeps its tombstones while it is imported, even if it was created by hand.
   * Otherwise a deleted row whose older versions arrive late comes back.
   */
  private CompletionStage<Void> ensureTombstones(String table, TableUse use) {
    if (use != TableUse.IMPORT) {
      return CompletableFuture.completedFuture(null);
    }
    return keepsTombstones(table)
        .thenCompose(
            keeps -> {
              if (keeps) {
                return CompletableFuture.completedFuture(null);
              }
              String alter = cql.alter(table, Tombstones.IMPORTING);
              String what = "table " + cql.keyspace() + "." + table;
              return requests.settings().create()
                  ? change("keeping the tombstones of " + what, alter, 1)
                  : CompletableFuture.failedFuture(
                      new KvException.Permanent(
                          what
                              + " does not keep its tombstones during an import, so that deleted"
                              + " entries would come back: open with create=if-missing, or run: "
                              + alter
                              + ";"));
            });
  }

  /**
   * Lets a table keep its tombstones no longer than a live one, if it exists and keeps them for an
   * import. A change that the user may not make is left to a person.
   */
  public CompletionStage<ImportSettings> endImport(String table, boolean isDryRun) {
    return keepsTombstones(table)
        .thenCompose(
            keeps -> {
              if (!keeps) {
                return CompletableFuture.completedFuture(ImportSettings.NONE);
              }
              String alter = endOfImport(table);
              if (!requests.settings().create()) {
                return CompletableFuture.completedFuture(ImportSettings.left(alter));
              }
              return isDryRun
                  ? CompletableFuture.completedFuture(ImportSettings.restored(alter))
                  : change("restoring the tombstones of table " + table, alter, 1)
                      .thenApply(done -> ImportSettings.restored(alter))
                      .exceptionallyCompose(
                          error ->
                              Futures.unwrap(error) instanceof KvException.Permanent
                                  ? CompletableFuture.completedFuture(ImportSettings.left(alter))
                                  : CompletableFuture.failedFuture(Futures.unwrap(error)));
            });
  }

  /** Returns whether a table exists and keeps its tombstones for an import. */
  private CompletionStage<Boolean> keepsTombstones(String table) {
    return requests
        .read(
            "reading the options of table " + table,
            internal(StoreCql.TOMBSTONE_OPTIONS, cql.keyspace(), table).setNode(schemaNode()),
            requests.call())
        .thenApply(
            result -> {
              Row row = result.one();
              return row != null && cql.dialect().keepsTombstones(row.getInt(0), extensions(row));
            });
  }

  private static Map<String, ByteBuffer> extensions(Row row) {
    Map<String, ByteBuffer> extensions = row.getMap(1, String.class, ByteBuffer.class);
    return extensions == null ? Map.of() : extensions;
  }

  public CompletionStage<Void> drop(String table) {
    return change("dropping table " + table, cql.drop(table), 1);
  }

  /**
   * Runs an operation on a table that may have just been created, and retries it within the store's
   * time-out. A node reports a table a moment before it accepts requests for it.
   */
  public static <T> CompletionStage<T> settled(
      Requests requests, Supplier<CompletionStage<T>> use) {
    return settled(use, requests.call());
  }

  private static <T> CompletionStage<T> settled(Supplier<CompletionStage<T>> use, Call call) {
    return use.get()
        .exceptionallyCompose(
            error -> {
              Throwable cause = Futures.unwrap(error);
              boolean passes =
                  cause instanceof KvException.Transient
                      || cause.getCause() instanceof InvalidQueryException;
              return passes && call.remaining().compareTo(TRY_AGAIN_AFTER) > 0
                  ? Futures.after(TRY_AGAIN_AFTER).thenCompose(waited -> settled(use, call))
                  : CompletableFuture.failedFuture(cause);
            });
  }

  private CompletionStage<Boolean> tablets() {
    Dialect dialect = cql.dialect();
    if (!dialect.hasTablets()) {
      return CompletableFuture.completedFuture(false);
    }
    return requests
        .read(
            "looking at keyspace " + cql.keyspace(),
            internal(StoreCql.TABLETS, cql.keyspace()),
            requests.call())
        .thenApply(
            result -> {
              Row row = result.one();
              boolean tablets = row != null && !row.isNull(0);
              if (tablets && dialect.isGettingConditionsOnTablets()) {
                throw new KvException.Transient(
                    "keyspace "
                        + cql.keyspace()
                        + " consists of tablets, and not all nodes have conditional writes on them"
                        + " yet: finish the upgrade of all nodes, and try again");
              }
              if (tablets && !dialect.hasConditionsOnTablets()) {
                throw new KvException.Permanent(
                    "keyspace "
                        + cql.keyspace()
                        + " consists of tablets, on which "
                        + dialect
                        + " has no conditional writes: upgrade to 2025.4, or use a keyspace with"
                        + " tablets = {'enabled': false}");
              }
              return tablets;
            });
  }

  private CompletionStage<Void> ensure(String table, String columns, String create) {
    return columns(table)
        .thenCompose(
            found ->
                found.isEmpty()
                    ? create("table " + cql.keyspace() + "." + table, create)
                        .thenCompose(made -> columnsOnceThere(table, requests.call()))
                    : onceAgreed().thenApply(agreed -> found))
        .thenAccept(
            found -> {
              if (!found.toString().equals(columns)) {
                throw new KvException.Permanent(
                    "table "
                        + cql.keyspace()
                        + "."
                        + table
                        + " has the columns "
                        + found
                        + ", not "
                        + columns
                        + ": it belongs to another application, so use another keyspace");
              }
            });
  }

  private CompletionStage<SortedMap<String, String>> columnsOnceThere(String table, Call call) {
    return columns(table)
        .thenCompose(
            found ->
                found.isEmpty() && !call.isExpired()
                    ? Futures.after(TRY_AGAIN_AFTER)
                        .thenCompose(waited -> columnsOnceThere(table, call))
                    : CompletableFuture.completedFuture(found));
  }

  private CompletionStage<SortedMap<String, String>> columns(String table) {
    return requests
        .readAll(
            "looking for table " + table,
            internal(StoreCql.COLUMNS, cql.keyspace(), table).setNode(schemaNode()),
            requests.call())
        .thenApply(
            rows -> {
              SortedMap<String, String> columns = new TreeMap<>();
              for (Row row : rows) {
                columns.put(row.getString(0), row.getString(1) + " " + row.getString(3));
              }
              return columns;
            });
  }

  private CompletionStage<Void> create(String what, String statement) {
    if (!requests.settings().create()) {
      return CompletableFuture.failedFuture(
          new KvException.Permanent(
              what + " does not exist: open with create=if-missing, or run: " + statement + ";"));
    }
    return change("creating " + what, statement, 1);
  }

  private CompletionStage<Void> change(String what, String statement, int attempt) {
    return requests
        .write(
            what,
            SimpleStatement.builder(statement).setNode(schemaNode()).setIdempotence(true).build(),
            Call.within(CHANGE_TIMEOUT))
        .thenCompose(result -> awaitAgreement(what, TRIES))
        .exceptionallyCompose(
            error -> {
              Throwable cause = Futures.unwrap(error);
              if (cause instanceof KvException.Permanent || attempt == TRIES) {
                return CompletableFuture.failedFuture(SetUpRefusals.explained(cause));
              }
              return Futures.after(TRY_AGAIN_AFTER)
                  .thenCompose(waited -> change(what, statement, attempt + 1));
            });
  }

  /**
   * Waits for schema agreement, since not every node may know a table yet that another process has
   * just created. Does not require it: nodes of a cluster that is being upgraded disagree for long.
   */
  private CompletionStage<Boolean> onceAgreed() {
    return requests
        .session()
        .checkSchemaAgreementAsync()
        .handle((agreed, error) -> Boolean.TRUE.equals(agreed));
  }

  private CompletionStage<Void> awaitAgreement(String what, int tries) {
    CqlSession session = requests.session();
    return session
        .checkSchemaAgreementAsync()
        .thenCompose(
            agreed -> {
              if (agreed) {
                return CompletableFuture.completedFuture(null);
              }
              if (tries == 0) {
                return CompletableFuture.failedFuture(
                    new KvException.Transient(
                        what
                            + " is not finished, the nodes do not agree on the schema: try again"));
              }
              return Futures.after(TRY_AGAIN_AFTER)
                  .thenCompose(waited -> awaitAgreement(what, tries - 1));
            });
  }

  private @Nullable Node schemaNode() {
    String local = requests.settings().localDatacenter();
    return requests.session().getMetadata().getNodes().values().stream()
        .filter(
            node -> node.getState() != NodeState.FORCED_DOWN && node.getState() != NodeState.DOWN)
        .filter(node -> local.equals(node.getDatacenter()) && node.getHostId() != null)
        .min(Comparator.comparing(node -> String.valueOf(node.getHostId())))
        .orElse(null);
  }

  private static SimpleStatement internal(String statement, Object... values) {
    return SimpleStatement.builder(statement)
        .addPositionalValues(values)
        .setIdempotence(true)
        .build();
  }

  private static String text(AsyncResultSet result) {
    Row row = result.one();
    String text = row == null ? null : row.getString(0);
    return text == null ? "" : text;
  }
}
