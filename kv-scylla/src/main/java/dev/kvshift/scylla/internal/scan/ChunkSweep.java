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
 * Removes chunks that no row names: those of values that were overwritten, deleted or have expired,
 * and of writes that failed before their row. Checks one value after the other.
 *
 * <p>Two rules keep it from removing the chunks of an acknowledged value:
 *
 * <ul>
 *   <li>Only chunks older than the grace are checked, and the delete has a timestamp as old. A
 *       write that writes the same chunks again meanwhile is newer than the delete.
 *   <li>The row is read on all replicas in all datacenters. A replica that was down may not have
 *       the row yet, and could be the only one that a lower consistency reads. While a replica does
 *       not answer, nothing is swept.
 * </ul>
 */
final class ChunkSweep {
  /** Far longer than any write takes from its first chunk to its row. */
  static final Duration GRACE = Duration.ofDays(1);

  private static final int IDS_A_PAGE = 500;
  private static final int RANGES = 64;

  private final Requests requests;
  private final RowReader rows;
  private final VersionClock clock;
  private final Duration grace;
  private final Statements statements;

  private record Statements(
      PreparedStatement ids, PreparedStatement owner, PreparedStatement delete) {
    static CompletionStage<Statements> prepare(Requests requests, ChunkCql cql) {
      CompletionStage<PreparedStatement> owner = requests.prepare(cql.owner());
      CompletionStage<PreparedStatement> delete = requests.prepare(cql.delete());
      return requests
          .prepare(cql.ids())
          .thenCompose(
              ids ->
                  owner.thenCombine(delete, (first, second) -> new Statements(ids, first, second)));
    }
  }

  private ChunkSweep(
      Requests requests,
      RowReader rows,
      VersionClock clock,
      Duration grace,
      Statements statements) {
    this.requests = requests;
    this.rows = rows;
    this.clock = clock;
    this.grace = grace;
    this.statements = statements;
  }

  /** Sweeps a table once. Returns the number of values removed. */
  static CompletionStage<Long> run(
      Requests requests, ChunkCql cql, RowReader rows, VersionClock clock, Duration grace) {
    return Statements.prepare(requests, cql)
        .thenCompose(
            statements ->
                new ChunkSweep(requests, rows, clock, grace, statements)
                    .sweepRanges(Scanner.tasks(RANGES, 1).iterator(), 0));
  }

  private CompletionStage<Long> sweepRanges(Iterator<ScanTask> ranges, long removed) {
    if (!ranges.hasNext()) {
      return CompletableFuture.completedFuture(removed);
    }
    ScanTask range = ranges.next();
    BoundStatement statement =
        requests
            .route(statements.ids().boundStatementBuilder(), range.upTo())
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
    BoundStatement statement =
        bound(statements.owner(), id, 0).setInt(1, ChunkCql.OWNER_ROW).build();
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
    BoundStatement statement = bound(statements.delete(), id, 1).setLong(0, timestamp).build();
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
