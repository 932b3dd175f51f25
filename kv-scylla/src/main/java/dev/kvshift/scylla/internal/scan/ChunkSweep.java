package dev.kvshift.scylla.internal.scan;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.scylla.internal.cql.ChunkCql;
import dev.kvshift.scylla.internal.cql.ChunkHead;
import dev.kvshift.scylla.internal.read.RowReader;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * Removes the chunks that no row names: of values overwritten, deleted or expired, and of writes
 * that never came to their row. Goes through the ids one by one; only what is older than the grace
 * is looked at, and a write that brings its chunks again meanwhile is newer than the removal.
 *
 * <p>The row is read on all its replicas, in all datacenters: one that was down may be the only one
 * asked, and would have the chunks of an acknowledged value removed. While one does not answer,
 * nothing is swept.
 */
final class ChunkSweep {
  /** Far longer than any write is under way between its first chunk and its row. */
  static final Duration GRACE = Duration.ofDays(1);

  private static final int IDS_A_PAGE = 500;
  private static final int RANGES = 64;

  private final Requests requests;
  private final RowReader rows;
  private final VersionClock clock;
  private final Duration grace;
  private final PreparedStatement ids;
  private final PreparedStatement owner;
  private final PreparedStatement delete;

  private ChunkSweep(
      Requests requests,
      RowReader rows,
      VersionClock clock,
      Duration grace,
      List<PreparedStatement> prepared) {
    this.requests = requests;
    this.rows = rows;
    this.clock = clock;
    this.grace = grace;
    ids = prepared.get(0);
    owner = prepared.get(1);
    delete = prepared.get(2);
  }

  /** Sweeps once; gives the number of values removed. */
  static CompletionStage<Long> run(
      Requests requests, ChunkCql cql, RowReader rows, VersionClock clock, Duration grace) {
    return requests
        .prepare(cql.ids())
        .thenCompose(
            ids ->
                requests
                    .prepare(cql.owner())
                    .thenCompose(
                        owner ->
                            requests
                                .prepare(cql.delete())
                                .thenApply(delete -> List.of(ids, owner, delete))))
        .thenCompose(
            prepared ->
                new ChunkSweep(requests, rows, clock, grace, prepared)
                    .sweepRanges(Scanner.tasks(RANGES, 1).iterator(), 0));
  }

  private CompletionStage<Long> sweepRanges(Iterator<ScanTask> ranges, long removed) {
    if (!ranges.hasNext()) {
      return CompletableFuture.completedFuture(removed);
    }
    ScanTask range = ranges.next();
    BoundStatement statement =
        requests
            .route(ids.boundStatementBuilder(), range.upTo())
            .setLong(0, range.after())
            .setLong(1, range.upTo())
            .setPageSize(IDS_A_PAGE)
            .build();
    return sweepPage(statement, removed).thenCompose(sum -> sweepRanges(ranges, sum));
  }

  private CompletionStage<Long> sweepPage(BoundStatement statement, long removed) {
    return requests
        .read("sweeping chunks", statement, requests.call())
        .thenCompose(
            result -> {
              List<Bytes> found = new ArrayList<>();
              for (Row row : result.currentPage()) {
                found.add(bytes(row));
              }
              ByteBuffer more = result.getExecutionInfo().getPagingState();
              CompletionStage<Long> sum = sweepIds(found.iterator(), removed);
              return more == null
                  ? sum
                  : sum.thenCompose(next -> sweepPage(statement.setPagingState(more), next));
            });
  }

  private CompletionStage<Long> sweepIds(Iterator<Bytes> found, long removed) {
    if (!found.hasNext()) {
      return CompletableFuture.completedFuture(removed);
    }
    Bytes id = found.next();
    return sweepId(id).thenCompose(gone -> sweepIds(found, gone ? removed + 1 : removed));
  }

  private CompletionStage<Boolean> sweepId(Bytes id) {
    long before = clock.nowMicros() - TimeUnit.NANOSECONDS.toMicros(grace.toNanos());
    BoundStatement statement = bound(owner, id, 0).setInt(1, ChunkCql.OWNER_ROW).build();
    return requests
        .read("sweeping chunks", statement, requests.call())
        .thenCompose(
            result -> {
              Row row = result.one();
              ByteBuffer key = row == null ? null : row.getBytesUnsafe(0);
              if (row == null || key == null || row.getLong(1) > before) {
                return CompletableFuture.completedFuture(false);
              }
              return rows.cellOnAnyReplica(ChunkHead.ownerKey(key), requests.call())
                  .thenCompose(
                      cell -> {
                        ChunkHead head = cell == null ? null : cell.head();
                        return head != null && head.id().equals(id)
                            ? CompletableFuture.completedFuture(false)
                            : delete(id, before).thenApply(deleted -> true);
                      });
            });
  }

  private CompletionStage<AsyncResultSet> delete(Bytes id, long timestamp) {
    BoundStatement statement = bound(delete, id, 1).setLong(0, timestamp).build();
    return requests.write("sweeping chunks", statement, requests.call());
  }

  private BoundStatementBuilder bound(PreparedStatement statement, Bytes id, int index) {
    return requests
        .route(statement.boundStatementBuilder(), id.asReadOnlyBuffer())
        .setBytesUnsafe(index, id.asReadOnlyBuffer());
  }

  private static Bytes bytes(Row row) {
    ByteBuffer id = row.getBytesUnsafe(0);
    return id == null ? Bytes.empty() : Bytes.of(id);
  }
}
