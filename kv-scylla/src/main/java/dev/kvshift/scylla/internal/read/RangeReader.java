package dev.kvshift.scylla.internal.read;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.scylla.internal.cql.Cell;
import dev.kvshift.scylla.internal.cql.CollectionCql.StatementKind;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.session.DriverErrors;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads pages of a range within one partition. If the server refuses a read, because it meets too
 * many deleted or expired rows, the reader continues in narrower parts.
 */
public final class RangeReader {
  /** Maximum number of rows that a page reads, if many have expired, before it ends early. */
  public static final int MAX_LOOKED = 10_000;

  private static final int ROWS_BEHIND_EXPIRED = 1_000;

  private static final Bytes ZERO = Bytes.of((byte) 0);

  private final String collection;
  private final CollectionStatements statements;
  private final Requests requests;
  private final RowReader reader;
  private final Narrowing<ReadStart> narrowing = new Narrowing<>();

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
  public static Bytes successor(Bytes key) {
    return key.concat(ZERO);
  }

  /** Where a read begins. */
  private record ReadStart(Bytes main, Bytes shard, Range range) {}

  private final class Page {
    private final Bytes main;
    private final Bytes shard;
    private final Range range;
    private final PageLimit limit;
    private final Call call;
    private final Duration patience;
    private final List<Cell> rows = new ArrayList<>();
    private @Nullable Bytes passed;
    private int live;
    private int bytes;
    private int looked;
    private long now;

    /** The read covers the first 2^-shift of what is left; 0 unless the server refused more. */
    private int shift;

    Page(Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
      this.main = main;
      this.shard = shard;
      this.range = range;
      this.limit = limit;
      this.call = call;
      patience = call.remaining().dividedBy(2);
    }

    CompletionStage<RowPage> read() {
      shift = narrowing.at(readStart(range));
      return read(range, limit.entries());
    }

    private CompletionStage<RowPage> read(Range rest, int most) {
      Bytes cut = shift == 0 ? null : KeyCut.of(rest, shift);
      Part part = new Part(rest, cut, looked + most);
      return fetch(part, bind(part.covered(), most));
    }

    private CompletionStage<RowPage> fetch(Part part, BoundStatement statement) {
      long expected = reader.sizes().expected(statement.getPageSize());
      now = statements.nowSeconds();
      return requests
          .read(what(), statements.at(statement, now), call, expected)
          .handle(
              (result, error) ->
                  error == null ? take(part, statement, result) : refused(part, error))
          .thenCompose(Function.identity());
    }

    private BoundStatement bind(Range rest, int most) {
      boolean backward = rest.direction() == Direction.BACKWARD;
      Bytes lower = rest.from();
      Bytes upper = rest.to();
      StatementKind kind =
          upper == null
              ? (backward ? StatementKind.FROM_BACKWARD : StatementKind.FROM)
              : (backward ? StatementKind.BETWEEN_BACKWARD : StatementKind.BETWEEN);
      BoundStatementBuilder bound = statements.partition(kind, main, shard);
      Bytes from = lower == null ? Bytes.empty() : rest.fromInclusive() ? lower : successor(lower);
      int next = statements.partitionMarkers();
      bound.setBytesUnsafe(next++, statements.bound(from));
      if (upper != null) {
        Bytes end = rest.toInclusive() ? successor(upper) : upper;
        bound.setBytesUnsafe(next++, statements.bound(end));
      }
      return bound.setInt(next, most).setPageSize(pageRows(most)).build();
    }

    private CompletionStage<RowPage> take(
        Part part, BoundStatement statement, AsyncResultSet result) {
      boolean isEmpty = result.remaining() == 0;
      for (Row found : result.currentPage()) {
        ByteBuffer clustering = found.getBytesUnsafe(0);
        looked++;
        if (clustering == null) {
          continue;
        }
        StoreKey key = StoreKey.of(main, shard, statements.clustering(found, 0));
        Cell row = reader.shown(key, found, 1, now);
        if (row != null && !row.isDead()) {
          if (live == limit.entries()) {
            return done(Stop.ENTRY_LIMIT);
          }
          int size = row.size();
          if (live > 0 && size > limit.bytes() - bytes) {
            return done(Stop.BYTE_LIMIT);
          }
          live++;
          bytes += size;
        }
        if (row != null) {
          rows.add(row);
        }
        passed = key.clustering();
      }
      ByteBuffer more = result.getExecutionInfo().getPagingState();
      if (more != null && looked < part.end()) {
        if (isEmpty && !isPatient()) {
          return narrow(part, DriverErrors.onlyDeadRows(what()));
        }
        int most = part.end() - looked;
        return fetch(part, statement.setPagingState(more).setPageSize(pageRows(most)));
      }
      if (looked >= part.end()) {
        return goOn();
      }
      Bytes cut = part.cut();
      return cut == null ? done(Stop.END) : pass(part, cut);
    }

    /**
     * Returns the number of rows that the next answer may have without exceeding the bytes left.
     */
    private int pageRows(int most) {
      return Math.min(most, reader.sizes().rowsFor(limit.bytes() - bytes));
    }

    private CompletionStage<RowPage> goOn() {
      if (live >= limit.entries()) {
        return done(Stop.ENTRY_LIMIT);
      }
      Range rest = rest();
      if (rest.isEmpty()) {
        return done(Stop.END);
      }
      return looked < MAX_LOOKED ? read(rest, ROWS_BEHIND_EXPIRED) : done(Stop.SCAN_LIMIT);
    }

    /** Continues after a part that was read to its end. */
    private CompletionStage<RowPage> pass(Part part, Bytes cut) {
      passed = cut;
      shift = narrowing.wider(readStart(part.rest()), shift);
      return live == 0 && isPatient() ? read(rest(), ROWS_BEHIND_EXPIRED) : done(Stop.SCAN_LIMIT);
    }

    /**
     * Reads a narrower part of what is left, or returns what was read so far. A retry begins with
     * the narrower part.
     */
    private CompletionStage<RowPage> refused(Part part, Throwable thrown) {
      KvException error = DriverErrors.ofRead(what(), thrown);
      return DriverErrors.isOfTooMuch(error, call)
          ? narrow(part, error)
          : CompletableFuture.failedFuture(error);
    }

    private CompletionStage<RowPage> narrow(Part part, KvException error) {
      Range rest = rest();
      if (rest.isEmpty()) {
        return done(Stop.END);
      }
      int refused = rest.equals(part.rest()) ? shift : 0;
      shift = narrowing.narrower(readStart(rest), refused);
      if (passed != null && !(live == 0 && isPatient())) {
        return done(Stop.SCAN_LIMIT);
      }
      return KeyCut.of(rest, shift) == null || call.isExpired()
          ? CompletableFuture.failedFuture(error)
          : Narrowing.retry(() -> read(rest, ROWS_BEHIND_EXPIRED));
    }

    private Range rest() {
      Bytes last = passed;
      return last == null ? range : range.beyond(last);
    }

    private ReadStart readStart(Range rest) {
      return new ReadStart(main, shard, rest);
    }

    /** Returns whether enough time is left to look for a live row. */
    private boolean isPatient() {
      return call.remaining().compareTo(patience) > 0;
    }

    private CompletionStage<RowPage> done(Stop stop) {
      Bytes end = stop == Stop.END ? null : Objects.requireNonNull(passed);
      return reader.rows(rows, call).thenApply(whole -> RowPage.of(whole, stop, end));
    }

    private String what() {
      return "reading a range of collection " + collection;
    }
  }

  /**
   * A part of the range that one statement reads.
   *
   * @param rest all that was left
   * @param cut last key of the part; null if it is all that was left
   * @param end number of rows after which the statement ends, counted from the page's beginning
   */
  private record Part(Range rest, @Nullable Bytes cut, int end) {
    Range covered() {
      Bytes last = cut;
      if (last == null) {
        return rest;
      }
      return rest.direction() == Direction.FORWARD
          ? rest.withTo(last, true)
          : rest.withFrom(last, true);
    }
  }
}
