package dev.kvshift.scylla.internal.write;

import dev.kvshift.api.Bytes;
import dev.kvshift.scylla.internal.cql.Cell;
import dev.kvshift.scylla.internal.cql.CellSizes;
import dev.kvshift.scylla.internal.cql.CellTtl;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.schema.CollectionStatements.RowWrite;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Writes rows: each as a delete, as one cell, or as chunks and a cell that names them. If the store
 * keeps its deletes, a delete is a cell without a value.
 */
public final class RowWriter {
  private final CollectionStatements statements;
  private final Requests requests;
  private final VersionClock clock;
  private final StoreClock serverClock;
  private final String what;
  private final CellSizes sizes;
  private final @Nullable ChunkWriter chunks;
  private final @Nullable PartitionWrites partitions;
  private final boolean keepsDeletes;

  private RowWriter(
      CollectionStatements statements,
      Requests requests,
      VersionClock clock,
      StoreClock serverClock,
      String what,
      CellSizes sizes,
      @Nullable ChunkWriter chunks,
      @Nullable PartitionWrites partitions) {
    this.statements = statements;
    this.requests = requests;
    this.clock = clock;
    this.serverClock = serverClock;
    this.what = what;
    this.sizes = sizes;
    this.chunks = chunks;
    this.partitions = partitions;
    this.keepsDeletes = requests.settings().keepsDeletes();
  }

  /** Returns a writer that sends each row in a request of its own, and only rows of one cell. */
  public static RowWriter of(
      String collection,
      CollectionStatements statements,
      Requests requests,
      VersionClock clock,
      StoreClock serverClock,
      CellSizes sizes) {
    return new RowWriter(
        statements,
        requests,
        clock,
        serverClock,
        "a write to collection " + collection,
        sizes,
        null,
        null);
  }

  /** Returns a writer that cuts large values into chunks. */
  public RowWriter withChunks(ChunkWriter chunks) {
    return new RowWriter(statements, requests, clock, serverClock, what, sizes, chunks, partitions);
  }

  /** Returns a writer that sends rows of one partition together. */
  public RowWriter withBatches(PartitionWrites.Timer timer) {
    return new RowWriter(
        statements,
        requests,
        clock,
        serverClock,
        what,
        sizes,
        chunks,
        new PartitionWrites(what, statements, requests, System::nanoTime, timer));
  }

  /** Writes a row at a version, which it returns. */
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, long version, Call call) {
    Bytes value = mutation.value();
    Instant expiry = mutation.expiry();
    if (statements.isForeign()) {
      return send(foreign(key, mutation, version, call));
    }
    if (value == null || (expiry != null && serverClock.hasExpired(expiry))) {
      return send(
          keepsDeletes
              ? new RowWrite(key, version, CellTtl.ofDeleted(version), Cell.dead(), call)
              : new RowWrite(key, version, null, null, call));
    }
    CellTtl ttl = expiry == null ? null : ttl(expiry, version);
    if (Cell.HEADER_BYTES + value.size() <= requests.settings().maxCellBytes()) {
      return send(new RowWrite(key, version, ttl, Cell.whole(value, expiry), call));
    }
    return Objects.requireNonNull(chunks, "larger than the checked limit")
        .write(key, version, value, ttl, call)
        .thenCompose(
            head -> send(new RowWrite(key, version, ttl, Cell.chunked(head, expiry), call)));
  }

  /** Returns the row of a table that kvshift did not make, whose value is as it is. */
  private RowWrite foreign(StoreKey key, Mutation mutation, long version, Call call) {
    Bytes value = mutation.value();
    Instant expiry = mutation.expiry();
    return value == null || (expiry != null && serverClock.hasExpired(expiry))
        ? new RowWrite(key, version, null, null, call)
        : new RowWrite(
            key,
            version,
            expiry == null ? null : CellTtl.exact(expiry),
            ByteBuffer.wrap(value.toByteArray()),
            call);
  }

  private @Nullable CellTtl ttl(Instant expiry, long version) {
    return keepsDeletes ? CellTtl.ofKept(expiry, version) : CellTtl.of(expiry, clock);
  }

  private CompletionStage<Long> send(RowWrite row) {
    if (row.cell() != null) {
      sizes.note(row.bytes());
    }
    return partitions == null
        ? requests.write(what, statements.row(row), row.call(), written -> row.version())
        : partitions.write(row);
  }
}
