package dev.kvshift.scylla;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.scylla.ScyllaCollection.Rows;
import dev.kvshift.scylla.ScyllaCollection.Shared;
import dev.kvshift.scylla.internal.cql.CellSizes;
import dev.kvshift.scylla.internal.cql.CollectionCql;
import dev.kvshift.scylla.internal.cql.Dialect;
import dev.kvshift.scylla.internal.cql.ForeignTable;
import dev.kvshift.scylla.internal.read.RangeReader;
import dev.kvshift.scylla.internal.read.RowReader;
import dev.kvshift.scylla.internal.scan.Scanner;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.schema.ForeignSchema;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.scylla.internal.write.RowWriter;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.ImportSettings;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreLocks;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A store of one collection, in a table that kvshift did not make. Nothing is created or changed in
 * the table's keyspace: metadata, and the deletes that are kept, are in the store's own.
 */
final class TableStore extends ForwardingStore {
  private static final Logger LOG = LoggerFactory.getLogger(TableStore.class);
  private static final int MAX_NAME = 32;
  private static final Pattern UPPER_CASE = Pattern.compile("[A-Z]");

  private final Shared shared;
  private final Dialect dialect;
  private final ForeignTable table;
  private final ForeignSchema.Checked checked;
  private final Limits limits;
  private final boolean keepsDeletes;

  /**
   * Checks the table.
   *
   * @param own the store of the keyspace that is kvshift's, which is closed with this one
   * @throws KvException.Permanent if the table cannot hold a collection
   */
  TableStore(ScyllaStore own, Shared shared, Dialect dialect, ForeignTable table) {
    super(own);
    this.shared = shared;
    this.dialect = dialect;
    this.table = table;
    checked = ForeignSchema.check(shared.requests().session(), table);
    keepsDeletes = shared.requests().settings().keepsDeletes();
    limits = own.limits().withMaxMainBytes(own.limits().maxMainBytes() - DeadRows.KEY_BYTES);
    checked.warnings().forEach(warning -> LOG.warn("table {}: {}", table.name(), warning));
  }

  @Override
  public Set<Capability> capabilities() {
    Set<Capability> all =
        EnumSet.of(
            Capability.EXPIRY,
            Capability.VERSIONED_WRITES,
            Capability.LARGE_MAIN_KEYS,
            Capability.SCAN,
            Capability.METADATA);
    if (table.clustering() != null) {
      all.add(Capability.RANGES);
    }
    if (keepsDeletes) {
      all.add(Capability.TOMBSTONE_READS);
    }
    return Collections.unmodifiableSet(all);
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
    return Futures.start(
        () -> {
          CollectionRecord.requireOwnName(name);
          requireFits(name, layout, claim);
          return bind("table/" + name, table.toString(), name)
              .thenCompose(bound -> bind("collection-of/" + lowerCase(table.name()), name, name))
              .thenCompose(
                  bound -> CollectionRecord.claim(inner.metadata(), name, layout, Claim.ACTIVE))
              .thenCompose(record -> deadRows(name))
              .thenCompose(dead -> open(name, layout, claim, dead));
        });
  }

  private void requireFits(String name, Layout layout, Claim claim) {
    if (claim.kind() == Claim.Kind.IMPORTING) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " is table "
              + table.name()
              + ", which kvshift did not make: a migration can leave it, not fill it");
    }
    if (layout.shape() != table.shape()) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " has the layout "
              + layout
              + ", and table "
              + table.name()
              + (table.clustering() == null
                  ? " no clustering column: open it as a point collection, or add clustering="
                  : " a clustering column: open it as a range collection"));
    }
    if (layout.encoding() != 0) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " has the layout "
              + layout
              + ", whose keys are encoded, and those of table "
              + table.name()
              + " are as their columns are: declare them asIs() in the model, which is encoding=0");
    }
  }

  /** Names a thing in the metadata for good: the table of a collection, and the other way round. */
  private CompletionStage<Void> bind(String record, String text, String collection) {
    Bytes bytes = Bytes.utf8(text);
    Metadata metadata = inner.metadata();
    return metadata
        .get(record)
        .thenCompose(
            found ->
                found != null
                    ? CompletableFuture.completedFuture(found)
                    : metadata
                        .compareAndSet(record, null, bytes)
                        .exceptionallyCompose(TableStore::unlessUnknown)
                        .thenCompose(set -> metadata.get(record)))
        .thenAccept(
            found -> {
              if (found == null) {
                throw new KvException.Transient(
                    "collection " + collection + " could not be opened: try again");
              }
              if (!found.equals(bytes)) {
                throw new KvException.Permanent(
                    "collection "
                        + collection
                        + " cannot be opened as table "
                        + table
                        + ": keyspace "
                        + shared.requests().settings().keyspace()
                        + " says that "
                        + record
                        + " is "
                        + found.toUtf8()
                        + ": one collection is one table, so correct the connection string, or give"
                        + " another keyspace for kvshift's records");
              }
            });
  }

  /** Returns a name in the letters of metadata names. */
  private static String lowerCase(String name) {
    return UPPER_CASE.matcher(name).replaceAll(":$0").toLowerCase(Locale.ROOT);
  }

  private static CompletionStage<Boolean> unlessUnknown(Throwable error) {
    Throwable cause = Futures.unwrap(error);
    return cause instanceof KvException.UnknownOutcome
        ? CompletableFuture.completedFuture(false)
        : CompletableFuture.failedFuture(cause);
  }

  /** Opens the deletes that are kept; null if the store keeps none. */
  private CompletionStage<@Nullable DeadRows> deadRows(String name) {
    if (!keepsDeletes) {
      return CompletableFuture.completedFuture(null);
    }
    String dead = name + (name.indexOf('_') >= 0 ? "_dead" : "-dead");
    if (dead.length() > MAX_NAME) {
      throw new KvException.Permanent(
          "collection "
              + name
              + ": its deletes are kept as collection "
              + dead
              + ", whose name has more than "
              + MAX_NAME
              + " characters: give a shorter name");
    }
    Layout layout = table.clustering() == null ? Layout.point() : Layout.range(ShardRule.none());
    return inner
        .open(dead, layout.withEncoding(0), Claim.ACTIVE)
        .thenApply(rows -> new DeadRows(name, rows, shared.clock()));
  }

  private CompletionStage<StoreCollection> open(
      String name, Layout layout, Claim claim, @Nullable DeadRows dead) {
    Requests requests = shared.requests();
    CollectionCql cql = CollectionCql.of(table, dialect);
    return CollectionStatements.prepare(requests, cql, shared.clock(), checked.types())
        .thenApply(
            statements -> {
              CellSizes sizes = new CellSizes(requests.settings().maxCellBytes());
              RowReader reader =
                  new RowReader(name, statements, null, requests, shared.clock(), sizes);
              RowWriter writer =
                  RowWriter.of(
                      name, statements, requests, shared.clock(), shared.serverClock(), sizes);
              Rows rows =
                  new Rows(
                      reader,
                      new RangeReader(name, statements, requests, reader),
                      writer,
                      new Scanner(name, layout.shape(), statements, requests, reader));
              OperationChecker checker =
                  OperationChecker.of(name, layout, limits).withoutShards().claimed(claim);
              LOG.info(
                  "opened collection {} in table {}, which kvshift did not make: layout {}, deletes"
                      + " {}",
                  name,
                  table,
                  layout,
                  keepsDeletes ? "kept" : "dropped");
              return new TableCollection(
                  new TableCollection.Opened(name, layout, claim),
                  shared,
                  checker,
                  checked.types(),
                  rows,
                  dead);
            });
  }

  @Override
  public CompletionStage<Void> drop(String name, long incarnation) {
    return CompletableFuture.failedFuture(unsupported(Capability.DROP));
  }

  /** Changes nothing: the table has never been filled by an import. */
  @Override
  public CompletionStage<ImportSettings> endImport(
      String name, long incarnation, boolean isDryRun) {
    return CompletableFuture.completedFuture(ImportSettings.NONE);
  }

  @Override
  public CompletionStage<Map<String, String>> facts() {
    return inner
        .facts()
        .thenApply(
            facts -> {
              Map<String, String> all = new LinkedHashMap<>(facts);
              all.put("table", table.toString());
              return all;
            });
  }

  @Override
  public StoreLocks locks(String space) {
    throw unsupported(Capability.LOCKS);
  }

  private KvException unsupported(Capability capability) {
    return new KvException.UnsupportedCapability(capability, description());
  }
}
