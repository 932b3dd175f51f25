package dev.kvshift.scylla.internal.read;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.scylla.internal.cql.Cell;
import dev.kvshift.scylla.internal.cql.CollectionCql.Request;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Reads pages of a range within one partition. */
public final class RangeReader {
  /** How many rows a page reads at most, if many have expired, before it returns what it has. */
  public static final int MAX_LOOKED = 10_000;

  private static final int ROWS_BEHIND_EXPIRED = 1_000;

  private static final Bytes ZERO = Bytes.of((byte) 0);

  private final String collection;
  private final CollectionStatements statements;
  private final Requests requests;
  private final RowReader reader;

  public RangeReader(
      String collection, CollectionStatements statements, Requests requests, RowReader reader) {
    this.collection = collection;
    this.statements = statements;
    this.requests = requests;
    this.reader = reader;
  }

  public CompletionStage<RowPage> read(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    if (range.isEmpty()) {
      return CompletableFuture.completedFuture(RowPage.of(List.of(), Stop.END, null));
    }
    return new Page(main, shard, range, limit, call).read();
  }

  /** Returns the least key above the given one. */
  static Bytes successor(Bytes key) {
    return key.concat(ZERO);
  }

  private final class Page {
    private final Bytes main;
    private final Bytes shard;
    private final Range range;
    private final PageLimit limit;
    private final Call call;
    private final List<Cell> rows = new ArrayList<>();
    private @Nullable Bytes passed;
    private int bytes;
    private int looked;

    Page(Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
      this.main = main;
      this.shard = shard;
      this.range = range;
      this.limit = limit;
      this.call = call;
    }

    CompletionStage<RowPage> read() {
      return read(range, limit.entries());
    }

    private CompletionStage<RowPage> read(Range rest, int most) {
      BoundStatement statement = bind(rest, most);
      int end = looked + most;
      return fetch(statement).thenCompose(result -> take(statement, result, end));
    }

    private CompletionStage<AsyncResultSet> fetch(BoundStatement statement) {
      long expected = reader.sizes().expected(statement.getPageSize());
      return requests.read(what(), statement, call, expected);
    }

    private BoundStatement bind(Range rest, int most) {
      boolean backward = rest.direction() == Direction.BACKWARD;
      Bytes lower = rest.from();
      Bytes upper = rest.to();
      Request request =
          upper == null
              ? (backward ? Request.FROM_BACKWARD : Request.FROM)
              : (backward ? Request.BETWEEN_BACKWARD : Request.BETWEEN);
      BoundStatementBuilder bound = statements.partition(request, main, shard);
      Bytes from = lower == null ? Bytes.empty() : rest.fromInclusive() ? lower : successor(lower);
      int next = 2;
      bound.setBytesUnsafe(next++, from.asReadOnlyBuffer());
      if (upper != null) {
        Bytes end = rest.toInclusive() ? successor(upper) : upper;
        bound.setBytesUnsafe(next++, end.asReadOnlyBuffer());
      }
      return bound.setInt(next, most).setPageSize(pageRows(most)).build();
    }

    private CompletionStage<RowPage> take(
        BoundStatement statement, AsyncResultSet result, int end) {
      for (Row found : result.currentPage()) {
        ByteBuffer clustering = found.getBytesUnsafe(0);
        looked++;
        if (clustering == null) {
          continue;
        }
        StoreKey key = StoreKey.of(main, shard, Bytes.of(clustering));
        Cell row = reader.live(key, found, 1);
        if (row != null) {
          if (rows.size() == limit.entries()) {
            return done(Stop.ENTRY_LIMIT);
          }
          int size = row.size();
          if (!rows.isEmpty() && size > limit.bytes() - bytes) {
            return done(Stop.BYTE_LIMIT);
          }
          rows.add(row);
          bytes += size;
        }
        passed = key.clustering();
      }
      ByteBuffer more = result.getExecutionInfo().getPagingState();
      if (more != null && looked < end) {
        BoundStatement next = statement.setPagingState(more).setPageSize(pageRows(end - looked));
        return fetch(next).thenCompose(nextResult -> take(next, nextResult, end));
      }
      return looked < end ? done(Stop.END) : goOn();
    }

    /**
     * Returns how many rows the next answer may have, so that it does not exceed the bytes left.
     */
    private int pageRows(int most) {
      return Math.min(most, reader.sizes().rowsFor(limit.bytes() - bytes));
    }

    private CompletionStage<RowPage> goOn() {
      if (rows.size() >= limit.entries()) {
        return done(Stop.ENTRY_LIMIT);
      }
      Range rest = range.beyond(Objects.requireNonNull(passed));
      if (rest.isEmpty()) {
        return done(Stop.END);
      }
      return looked < MAX_LOOKED ? read(rest, ROWS_BEHIND_EXPIRED) : done(Stop.SCAN_LIMIT);
    }

    private CompletionStage<RowPage> done(Stop stop) {
      Bytes end = stop == Stop.END ? null : Objects.requireNonNull(passed);
      return reader.rows(rows, call).thenApply(whole -> RowPage.of(whole, stop, end));
    }

    private String what() {
      return "reading a range of collection " + collection;
    }
  }
}
