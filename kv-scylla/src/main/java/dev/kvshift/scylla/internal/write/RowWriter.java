package dev.kvshift.scylla.internal.write;

import dev.kvshift.api.Bytes;
import dev.kvshift.scylla.internal.cql.Cell;
import dev.kvshift.scylla.internal.cql.CellSizes;
import dev.kvshift.scylla.internal.cql.CellTtl;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.schema.CollectionStatements.RowWrite;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    RowWrite row = row(key, mutation, version, call);
    return row == null ? writeChunked(key, mutation, version, call) : send(row);
  }

  /** Writes several rows, each of which brings its version; those of a partition together. */
  public Map<StoreKey, CompletionStage<Long>> writeAll(
      Map<StoreKey, Mutation> mutations, Call call) {
    Map<StoreKey, CompletionStage<Long>> written = new LinkedHashMap<>();
    List<RowWrite> together = new ArrayList<>(mutations.size());
    mutations.forEach(
        (key, mutation) -> {
          long version = Objects.requireNonNull(mutation.version());
          RowWrite row = row(key, mutation, version, call);
          if (row == null || partitions == null) {
            written.put(key, Futures.start(() -> write(key, mutation, version, call)));
          } else {
            note(row);
            together.add(row);
          }
        });
    if (partitions != null) {
      written.putAll(partitions.writeAll(together));
    }
    return written;
  }

  /** Returns the row of a write; null if its value has to be cut into chunks first. */
  private @Nullable RowWrite row(StoreKey key, Mutation mutation, long version, Call call) {
    Bytes value = mutation.value();
    Instant expiry = mutation.expiry();
    if (statements.isForeign()) {
      return foreign(key, mutation, version, call);
    }
    if (value == null || (expiry != null && serverClock.hasExpired(expiry))) {
      return keepsDeletes
          ? new RowWrite(key, version, CellTtl.ofDeleted(version), Cell.dead(), call)
          : new RowWrite(key, version, null, null, call);
    }
    return Cell.HEADER_BYTES + value.size() <= requests.settings().maxCellBytes()
        ? new RowWrite(key, version, ttl(expiry, version), Cell.whole(value, expiry), call)
        : null;
  }

  private CompletionStage<Long> writeChunked(
      StoreKey key, Mutation mutation, long version, Call call) {
    Bytes value = Objects.requireNonNull(mutation.value());
    Instant expiry = mutation.expiry();
    CellTtl ttl = ttl(expiry, version);
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

  private @Nullable CellTtl ttl(@Nullable Instant expiry, long version) {
    if (expiry == null) {
      return null;
    }
    return keepsDeletes ? CellTtl.ofKept(expiry, version) : CellTtl.of(expiry, clock);
  }

  private CompletionStage<Long> send(RowWrite row) {
    note(row);
    return partitions == null
        ? requests.write(what, statements.row(row), row.call(), written -> row.version())
        : partitions.write(row);
  }

  private void note(RowWrite row) {
    if (row.cell() != null) {
      sizes.note(row.bytes());
    }
  }
}
