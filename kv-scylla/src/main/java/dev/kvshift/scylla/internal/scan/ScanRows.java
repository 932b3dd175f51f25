package dev.kvshift.scylla.internal.scan;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.api.PageLimit;
import dev.kvshift.scylla.internal.cql.Cell;
import dev.kvshift.scylla.internal.read.Narrowing;
import dev.kvshift.scylla.internal.read.RangeReader;
import dev.kvshift.scylla.internal.read.RowReader;
import dev.kvshift.scylla.internal.scan.ScanPosition.Partition;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.session.DriverErrors;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The rows of a scan's page, and how they are fetched. */
final class ScanRows {
  /** 2,000 entries and the next row, which decides where the page can end. */
  private static final int MAX_PAGE_ROWS = 2_001;

  /** The parts that all scans of a collection share. */
  record Shared(
      String collection,
      Shape shape,
      CollectionStatements statements,
      Requests requests,
      RowReader reader,
      Narrowing<Object> narrowing) {}

  final Shared shared;
  private final PageLimit limit;
  private final Call call;
  private final Duration patience;
  private final List<Cell> rows = new ArrayList<>();
  private int bytes;
  private int looked;
  private long now;

  ScanRows(Shared shared, PageLimit limit, Call call) {
    this.shared = shared;
    this.limit = limit;
    this.call = call;
    patience = call.remaining().dividedBy(2);
  }

  /**
   * Sends a statement.
   *
   * @param take continues with an answer
   * @param refused continues after the server refused a read of that size
   */
  CompletionStage<ScanPage> fetch(
      BoundStatement statement,
      Function<AsyncResultSet, CompletionStage<ScanPage>> take,
      Function<KvException, CompletionStage<ScanPage>> refused) {
    now = shared.statements().nowSeconds();
    BoundStatement sized = shared.statements().at(statement.setPageSize(pageRows()), now);
    long expected = shared.reader().sizes().expected(sized.getPageSize());
    BiFunction<@Nullable AsyncResultSet, @Nullable Throwable, CompletionStage<ScanPage>> answered =
        (result, thrown) -> {
          if (result != null) {
            return isOnlyDead(result)
                ? refused.apply(DriverErrors.onlyDeadRows(what()))
                : take.apply(result);
          }
          KvException error = DriverErrors.ofRead(what(), thrown);
          if (!DriverErrors.isOfTooMuch(error, call)) {
            throw error;
          }
          return refused.apply(error);
        };
    return shared
        .requests()
        .read(what(), sized, call, expected)
        .handle(answered)
        .thenCompose(Function.identity());
  }

  /** Returns whether time runs out while pages have no row: narrower reads get further. */
  private boolean isOnlyDead(AsyncResultSet result) {
    return result.remaining() == 0
        && result.getExecutionInfo().getPagingState() != null
        && rows.isEmpty()
        && !isPatient();
  }

  /** Adds a row if it is live, or dead and kept. */
  void take(StoreKey key, Row found, int cellColumn) {
    looked++;
    Cell row = shared.reader().shown(key, found, cellColumn, now);
    if (row != null) {
      rows.add(row);
      bytes += key.main().size() + row.size();
    }
  }

  /** Removes all rows after a count. */
  void removeFrom(int count) {
    while (rows.size() > count) {
      Cell last = rows.remove(rows.size() - 1);
      bytes -= last.key().main().size() + last.size();
    }
  }

  /** Removes the rows at the end that are of a token. */
  void removeLast(long token) {
    int count = rows.size();
    while (count > 0 && token(rows.get(count - 1).key()) == token) {
      count--;
    }
    removeFrom(count);
  }

  int size() {
    return rows.size();
  }

  boolean isFull() {
    return rows.size() >= limit.entries()
        || bytes >= limit.bytes()
        || looked >= RangeReader.MAX_LOOKED;
  }

  /** Returns whether to continue the search for a live row, after a part without any. */
  boolean isPatient() {
    return rows.isEmpty() && call.remaining().compareTo(patience) > 0;
  }

  boolean isExpired() {
    return call.isExpired();
  }

  /** Returns a page size that divides what is wanted, so that no row is read needlessly. */
  private int pageRows() {
    long wanted = limit.entries() + 1L;
    long pages = (wanted + MAX_PAGE_ROWS - 1) / MAX_PAGE_ROWS;
    int most = (int) ((wanted + pages - 1) / pages);
    return Math.min(most, shared.reader().sizes().rowsFor(limit.bytes() - bytes));
  }

  /** Ends the page; the task too if there is no next position. */
  CompletionStage<ScanPage> done(@Nullable ScanPosition next) {
    return shared
        .reader()
        .rows(rows, call)
        .thenApply(whole -> ScanPage.of(whole, next == null ? null : next.print()));
  }

  /** Sends a request whose answer has no rows of the collection. */
  CompletionStage<AsyncResultSet> ask(BoundStatement statement) {
    return shared.requests().read(what(), statement, call);
  }

  /** Returns the partition of a row that begins with its key. */
  Partition partition(Row found) {
    return new Partition(CollectionStatements.bytes(found, 0), shared.statements().shard(found));
  }

  long token(StoreKey key) {
    return shared.statements().token(key);
  }

  String what() {
    return "scanning collection " + shared.collection();
  }
}
