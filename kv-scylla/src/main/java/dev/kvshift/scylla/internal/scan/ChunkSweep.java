package dev.kvshift.scylla.internal.scan;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.cql.ChunkCql;
import dev.kvshift.scylla.internal.cql.ChunkHead;
import dev.kvshift.scylla.internal.read.RowReader;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/**
 * Removes chunks that no row names: those of values that were overwritten, deleted or have expired,
 * and of writes that failed before their row. Checks several values at once, and skips those whose
 * replicas do not all answer.
 *
 * <p>Two rules keep it from removing the chunks of an acknowledged value:
 *
 * <ul>
 *   <li>Only chunks older than the grace are checked, and the delete has a timestamp as old. A
 *       write that writes the same chunks again meanwhile is newer than the delete.
 *   <li>The row is read on all replicas in all datacenters. A replica that was down may not have
 *       the row yet, and could be the only one that a lower consistency reads. While a replica does
 *       not answer, the values of its rows are skipped.
 * </ul>
 */
final class ChunkSweep {
  /** Far longer than any write takes from its first chunk to its row: one day. */
  static final Duration GRACE = Duration.ofDays(1);

  private static final int IDS_A_PAGE = 500;
  private static final int AT_ONCE = 8;
  private static final List<ScanTask> RANGES = Scanner.tasks(64, 1);

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

  /**
   * The outcome of a sweep.
   *
   * @param removed number of values that were removed
   * @param skipped number of values, or of pages of them, that could not be read now
   */
  record Swept(long removed, long skipped) {
    static final Swept NOTHING = new Swept(0, 0);
    static final Swept REMOVED = new Swept(1, 0);
    static final Swept SKIPPED = new Swept(0, 1);

    Swept plus(Swept other) {
      return new Swept(removed + other.removed, skipped + other.skipped);
    }
  }

  /** Returns the number of ranges that a sweep consists of, after each of which it can resume. */
  static int ranges() {
    return RANGES.size();
  }

  static CompletionStage<ChunkSweep> prepare(
      Requests requests, ChunkCql cql, RowReader rows, VersionClock clock, Duration grace) {
    return Statements.prepare(requests, cql)
        .thenApply(statements -> new ChunkSweep(requests, rows, clock, grace, statements));
  }

  /** Sweeps one of the ranges. What cannot be read now is skipped until the next sweep. */
  CompletionStage<Swept> range(int number) {
    ScanTask range = RANGES.get(number);
    BoundStatement statement =
        requests
            .route(statements.ids().boundStatementBuilder(), range.upTo())
            .setLong(0, range.after())
            .setLong(1, range.upTo())
            .setPageSize(IDS_A_PAGE)
            .build();
    return page(statement, Swept.NOTHING);
  }

  private CompletionStage<Swept> page(BoundStatement statement, Swept before) {
    return requests
        .read("sweeping chunks", statement, requests.call())
        .thenCompose(
            result -> {
              Queue<Bytes> found = new ConcurrentLinkedQueue<>();
              for (Row row : result.currentPage()) {
                found.add(bytes(row));
              }
              ByteBuffer more = result.getExecutionInfo().getPagingState();
              CompletionStage<Swept> sum = sweepAll(found).thenApply(before::plus);
              return more == null
                  ? sum
                  : sum.thenCompose(next -> page(statement.setPagingState(more), next));
            })
        .exceptionally(error -> before.plus(skipped(error)));
  }

  /** Sweeps the values of a page, {@value #AT_ONCE} at once. */
  private CompletionStage<Swept> sweepAll(Queue<Bytes> found) {
    CompletionStage<Swept> all = sweepNext(found, Swept.NOTHING);
    for (int lane = 1; lane < AT_ONCE; lane++) {
      all = all.thenCombine(sweepNext(found, Swept.NOTHING), Swept::plus);
    }
    return all;
  }

  private CompletionStage<Swept> sweepNext(Queue<Bytes> found, Swept before) {
    Bytes id = found.poll();
    if (id == null) {
      return CompletableFuture.completedFuture(before);
    }
    return sweepId(id)
        .thenApply(removed -> removed ? Swept.REMOVED : Swept.NOTHING)
        .exceptionally(ChunkSweep::skipped)
        .thenCompose(swept -> sweepNext(found, before.plus(swept)));
  }

  /** A replica that does not answer now may do so at the next sweep. */
  private static Swept skipped(Throwable thrown) {
    if (Futures.unwrap(thrown) instanceof KvException error && error.isRetryable()) {
      return Swept.SKIPPED;
    }
    throw Futures.unwrap(thrown) instanceof RuntimeException error
        ? error
        : new CompletionException(thrown);
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
