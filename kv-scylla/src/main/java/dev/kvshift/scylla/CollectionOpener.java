package dev.kvshift.scylla;

import dev.kvshift.api.Layout;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.scylla.ScyllaCollection.Opened;
import dev.kvshift.scylla.ScyllaCollection.Rows;
import dev.kvshift.scylla.ScyllaCollection.Shared;
import dev.kvshift.scylla.internal.cql.Cell;
import dev.kvshift.scylla.internal.cql.CellSizes;
import dev.kvshift.scylla.internal.cql.ChunkCql;
import dev.kvshift.scylla.internal.cql.CollectionCql;
import dev.kvshift.scylla.internal.cql.TableNames;
import dev.kvshift.scylla.internal.read.ChunkReader;
import dev.kvshift.scylla.internal.read.PartitionReads;
import dev.kvshift.scylla.internal.read.RangeReader;
import dev.kvshift.scylla.internal.read.RowReader;
import dev.kvshift.scylla.internal.scan.Scanner;
import dev.kvshift.scylla.internal.scan.Sweeper;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.schema.Schema;
import dev.kvshift.scylla.internal.schema.Schema.TableUse;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.scylla.internal.write.ChunkWriter;
import dev.kvshift.scylla.internal.write.RowWriter;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.StoreCollection;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens a store's collections: claims them, creates or checks their tables, prepares statements.
 */
final class CollectionOpener {
  private static final Logger LOG = LoggerFactory.getLogger(CollectionOpener.class);

  private final Shared shared;
  private final Schema schema;
  private final Metadata metadata;
  private final Sweeper sweeper;
  private final Limits limits;
  private final Map<String, CellSizes> sizesOfTables = new ConcurrentHashMap<>();

  CollectionOpener(
      Shared shared, Schema schema, Metadata metadata, Sweeper sweeper, Limits limits) {
    this.shared = shared;
    this.schema = schema;
    this.metadata = metadata;
    this.sweeper = sweeper;
    this.limits = limits;
  }

  CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
    return Futures.start(() -> requireTable(name, layout, claim))
        .thenCompose(checked -> CollectionRecord.claim(metadata, name, layout, claim))
        .thenCompose(record -> open(new Opened(name, record, claim)));
  }

  /** Opens a collection for reading, by a reader that follows when its migration begins again. */
  CompletionStage<StoreCollection> follow(String name, Layout layout) {
    FollowingReader.Opener opener =
        new FollowingReader.Opener() {
          @Override
          public CompletionStage<Long> current(boolean isRoutine) {
            return CollectionRecord.read(isRoutine ? metadata.committed() : metadata, name)
                .thenApply(record -> record == null ? 0 : record.incarnation());
          }

          @Override
          public CompletionStage<FollowingReader.Incarnation> open() {
            return Futures.start(() -> requireTable(name, layout, Claim.READ))
                .thenCompose(checked -> CollectionRecord.claim(metadata, name, layout, Claim.READ))
                .thenCompose(
                    record ->
                        CollectionOpener.this
                            .open(new Opened(name, record, Claim.READ))
                            .thenApply(
                                rows ->
                                    new FollowingReader.Incarnation(rows, record.incarnation())));
          }
        };
    return opener.open().thenApply(first -> new FollowingReader(first, opener, System::nanoTime));
  }

  /**
   * Requires the table of a new collection if the driver may not create it. Otherwise a claim would
   * remain for a collection that has no table.
   */
  private CompletionStage<Void> requireTable(String name, Layout layout, Claim claim) {
    if (shared.requests().settings().create()) {
      return CompletableFuture.completedFuture(null);
    }
    CollectionCql first = table(name, layout.shape(), 1);
    return CollectionRecord.read(metadata, name)
        .thenCompose(
            record ->
                record == null
                    ? schema.ensureTable(
                        first, use(claim), TableNames.comment(name, 1, layout.toString()))
                    : CompletableFuture.completedFuture(null));
  }

  private static TableUse use(Claim claim) {
    return claim.kind() == Claim.Kind.IMPORTING ? TableUse.IMPORT : TableUse.LIVE;
  }

  /** Readers of a collection that is being imported change nothing, so they check nothing. */
  private static TableUse use(Claim claim, CollectionRecord record) {
    if (record.state() != CollectionRecord.State.IMPORTING) {
      return TableUse.LIVE;
    }
    return claim.kind() == Claim.Kind.READ ? TableUse.READ_IMPORT : TableUse.IMPORT;
  }

  private CollectionCql table(String name, Shape shape, long incarnation) {
    return CollectionCql.of(
        schema.cql().keyspace(), TableNames.data(name, incarnation), shape, schema.cql().dialect());
  }

  private CompletionStage<StoreCollection> open(Opened opened) {
    CollectionRecord record = opened.record();
    TableUse use = use(opened.claim(), record);
    CollectionCql table = table(opened.name(), opened.shape(), record.incarnation());
    return schema
        .ensureTable(
            table,
            use,
            TableNames.comment(opened.name(), record.incarnation(), record.layout().toString()))
        .thenCompose(ready -> chunks(opened, use))
        .thenCompose(
            chunks -> prepared(table).thenApply(rows -> collection(opened, table, rows, chunks)));
  }

  /** The table of a collection's large values. */
  private record Chunks(ChunkCql table, ChunkReader reader, ChunkWriter writer) {}

  /** Prepares the table of large values; null for a shard directory, which has none. */
  private CompletionStage<@Nullable Chunks> chunks(Opened opened, TableUse use) {
    if (TableNames.isDirectory(opened.name())) {
      return CompletableFuture.completedFuture(null);
    }
    String name = TableNames.chunks(opened.name(), opened.record().incarnation());
    ChunkCql table = new ChunkCql(schema.cql().keyspace(), name, schema.cql().dialect());
    Requests requests = shared.requests();
    return schema
        .ensureChunks(
            table, use, TableNames.chunksComment(opened.name(), opened.record().incarnation()))
        .thenCompose(
            ready ->
                Schema.settled(
                    requests,
                    () ->
                        ChunkReader.prepare(requests, table)
                            .thenCombine(
                                ChunkWriter.prepare(requests, shared.clock(), table),
                                (reader, writer) -> new Chunks(table, reader, writer))));
  }

  private CompletionStage<CollectionStatements> prepared(CollectionCql table) {
    return Schema.settled(
        shared.requests(),
        () -> CollectionStatements.prepare(shared.requests(), table, shared.clock()));
  }

  private StoreCollection collection(
      Opened opened,
      CollectionCql table,
      CollectionStatements statements,
      @Nullable Chunks chunks) {
    String name = opened.name();
    Requests requests = shared.requests();
    CellSizes sizes =
        sizesOfTables.computeIfAbsent(
            table.table(), unknown -> new CellSizes(requests.settings().maxCellBytes()));
    RowReader reader =
        new RowReader(
            name,
            statements,
            chunks == null ? null : chunks.reader(),
            requests,
            shared.clock(),
            sizes);
    RowWriter writer =
        RowWriter.of(name, statements, requests, shared.clock(), shared.serverClock(), sizes);
    if (opened.shape() == Shape.RANGE) {
      writer = writer.withBatches(shared.timer()::after);
    }
    if (chunks != null) {
      writer = writer.withChunks(chunks.writer());
      if (opened.claim().kind() != Claim.Kind.READ) {
        sweeper.add(chunks.table(), reader);
      }
    }
    PartitionReads partitions = new PartitionReads(name, statements, requests, reader);
    RangeReader ranges = new RangeReader(name, statements, requests, reader);
    Scanner scanner = new Scanner(name, opened.shape(), statements, requests, reader);
    OperationChecker checker =
        OperationChecker.of(
                name, opened.record().layout(), chunks == null ? withoutChunks() : limits)
            .claimed(opened.claim());
    LOG.info(
        "opened collection {} in table {}.{}: {}, layout {}",
        name,
        table.keyspace(),
        table.table(),
        opened.record().state().name().toLowerCase(Locale.ROOT),
        opened.record().layout());
    return new ScyllaCollection(
        opened, shared, checker, new Rows(reader, ranges, writer, scanner), partitions);
  }

  /** Returns the limits of a collection whose values must fit into their cells. */
  private Limits withoutChunks() {
    int largest = shared.requests().settings().maxCellBytes() - Cell.HEADER_BYTES;
    return limits.withMaxValueBytes(Math.min(limits.maxValueBytes(), largest));
  }
}
