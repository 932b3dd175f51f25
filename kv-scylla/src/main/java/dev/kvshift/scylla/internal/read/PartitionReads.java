package dev.kvshift.scylla.internal.read;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.cql.Cell;
import dev.kvshift.scylla.internal.cql.CollectionCql;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.session.DriverErrors;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Reads rows of a range collection by their keys, those of one partition in one request.
 *
 * <p>Each row ends on its own, as if it were read alone:
 *
 * <ul>
 *   <li><b>A request asks for no more rows than an answer should hold</b>, by the size of recent
 *       ones; further rows are requests beside it. Otherwise large rows fill the memory, or are
 *       read page after page, which takes longer than reading each alone.
 *   <li><b>A row is absent only once the last page has been read</b>, since servers cut pages where
 *       they like. Otherwise a row of a page that was not read counts as deleted.
 *   <li><b>A request that may have failed for one of its rows is repeated for each row alone.</b>
 *       Otherwise one bad row fails up to {@value CollectionCql#GET_ROWS} good ones.
 *   <li><b>A failure ends only the rows that have not ended.</b>
 * </ul>
 */
public final class PartitionReads {
  static final int MAX_REQUEST_BYTES = 64 << 10;
  static final int MAX_ANSWER_BYTES = 1 << 20;

  private static final int CLUSTERING = 2;

  private final String what;
  private final CollectionStatements statements;
  private final Requests requests;
  private final RowReader reader;

  public PartitionReads(
      String collection, CollectionStatements statements, Requests requests, RowReader reader) {
    what = "reading from collection " + collection;
    this.statements = statements;
    this.requests = requests;
    this.reader = reader;
  }

  /** Reads rows, and returns their stages in the order of the keys. */
  public List<CompletionStage<@Nullable Row>> getAll(List<StoreKey> keys, Call call) {
    List<CompletionStage<@Nullable Row>> rows = new ArrayList<>(keys.size());
    List<Part> parts = new ArrayList<>();
    Map<StoreKey, Part> open = new HashMap<>();
    for (StoreKey key : keys) {
      StoreKey partition = StoreKey.of(key.main(), key.shard(), Bytes.empty());
      Part part = open.get(partition);
      if (part == null || !part.hasRoomFor(key)) {
        part = new Part(partition, call);
        open.put(partition, part);
        parts.add(part);
      }
      rows.add(part.add(key));
    }
    parts.forEach(Part::send);
    return rows;
  }

  /** Rows of one partition that are read together. One page is read after the other. */
  private final class Part {
    private final StoreKey partition;
    private final Call call;

    /** The rows that have not been read, by their clustering keys. */
    private final Map<Bytes, CompletableFuture<@Nullable Row>> missing = new LinkedHashMap<>();

    private int bytes;

    Part(StoreKey partition, Call call) {
      this.partition = partition;
      this.call = call;
    }

    boolean hasRoomFor(StoreKey key) {
      return missing.size() < Math.min(CollectionCql.GET_ROWS, pageRows())
          && bytes + key.clustering().size() <= MAX_REQUEST_BYTES;
    }

    CompletionStage<@Nullable Row> add(StoreKey key) {
      bytes += key.clustering().size();
      return missing.computeIfAbsent(key.clustering(), absent -> new CompletableFuture<>());
    }

    void send() {
      if (missing.size() == 1) {
        readEachAlone();
        return;
      }
      try {
        read(
            statements
                .getAll(partition.main(), partition.shard(), missing.keySet())
                .setPageSize(missing.size())
                .build());
      } catch (Throwable e) { // or the rows would never end
        fail(e);
      }
    }

    private void read(BoundStatement statement) {
      requests
          .read(what, statement, call, reader.sizes().expected(statement.getPageSize()))
          .whenComplete(
              (result, error) -> {
                if (error != null) {
                  refused(Futures.unwrap(error));
                  return;
                }
                try {
                  take(statement, result);
                } catch (Throwable e) { // or the rows would never end
                  fail(e);
                }
              });
    }

    private int pageRows() {
      return reader.sizes().rowsFor(MAX_ANSWER_BYTES);
    }

    private void take(BoundStatement statement, AsyncResultSet result) {
      for (com.datastax.oss.driver.api.core.cql.Row found : result.currentPage()) {
        Bytes clustering = Bytes.of(Objects.requireNonNull(found.getBytesUnsafe(CLUSTERING)));
        CompletableFuture<@Nullable Row> row = missing.remove(clustering);
        if (row != null) {
          end(row, Futures.<@Nullable Row>start(() -> row(clustering, found)));
        }
      }
      ByteBuffer more = result.getExecutionInfo().getPagingState();
      if (more == null) {
        missing.values().forEach(row -> row.complete(null));
      } else if (!missing.isEmpty()) {
        int most = Math.min(missing.size(), pageRows());
        read(statement.setPagingState(more).setPageSize(most));
      }
    }

    private CompletionStage<@Nullable Row> row(
        Bytes clustering, com.datastax.oss.driver.api.core.cql.Row found) {
      Cell cell = reader.shown(key(clustering), found, 0, statements.nowSeconds());
      return reader.row(cell, call);
    }

    private StoreKey key(Bytes clustering) {
      return StoreKey.of(partition.main(), partition.shard(), clustering);
    }

    private void refused(Throwable error) {
      if (error instanceof KvException known && DriverErrors.mayBeOfOneRow(known)) {
        readEachAlone();
      } else {
        fail(error);
      }
    }

    private void readEachAlone() {
      missing.forEach(
          (clustering, row) ->
              end(row, Futures.<@Nullable Row>start(() -> reader.get(key(clustering), call))));
    }

    private void fail(Throwable error) {
      missing.values().forEach(row -> row.completeExceptionally(error));
    }

    private static void end(
        CompletableFuture<@Nullable Row> row, CompletionStage<@Nullable Row> read) {
      read.whenComplete(
          (value, error) -> {
            if (error == null) {
              row.complete(value);
            } else {
              row.completeExceptionally(Futures.unwrap(error));
            }
          });
    }
  }
}
