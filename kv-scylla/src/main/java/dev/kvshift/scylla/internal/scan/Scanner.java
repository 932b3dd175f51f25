package dev.kvshift.scylla.internal.scan;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.api.PageLimit;
import dev.kvshift.scylla.internal.cql.Cell;
import dev.kvshift.scylla.internal.cql.CollectionCql.Request;
import dev.kvshift.scylla.internal.cql.Murmur3;
import dev.kvshift.scylla.internal.read.RangeReader;
import dev.kvshift.scylla.internal.read.RowReader;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Reads a collection in the order of its tokens. A page ends after a token, or inside a partition
 * at a clustering key, but never between two partitions of one token: their order is the server's,
 * and no statement can resume there.
 */
public final class Scanner {
  static final int MAX_TASKS = 1 << 16;
  private static final int TASKS_PER_NODE = 64;

  /** 2,000 entries and the next row, which decides where the page can end. */
  private static final int MAX_PAGE_ROWS = 2_001;

  private final String collection;
  private final Shape shape;
  private final CollectionStatements statements;
  private final Requests requests;
  private final RowReader reader;

  public Scanner(
      String collection,
      Shape shape,
      CollectionStatements statements,
      Requests requests,
      RowReader reader) {
    this.collection = collection;
    this.shape = shape;
    this.statements = statements;
    this.requests = requests;
    this.reader = reader;
  }

  /** Divides the tokens into equal ranges. */
  public static List<ScanTask> tasks(int atLeast, int nodes) {
    int count = Math.min(MAX_TASKS, Math.max(Math.max(1, atLeast), nodes * TASKS_PER_NODE));
    long step = Long.divideUnsigned(-1L, count);
    List<ScanTask> tasks = new ArrayList<>(count);
    long after = Long.MIN_VALUE;
    for (int i = 1; i <= count; i++) {
      long upTo = i == count ? Long.MAX_VALUE : Long.MIN_VALUE + step * i;
      tasks.add(ScanTask.of(after, upTo));
      after = upTo;
    }
    return List.copyOf(tasks);
  }

  public CompletionStage<ScanPage> read(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    ScanPosition from =
        position == null ? ScanPosition.behind(task.after()) : ScanPosition.parse(position);
    if (from.partition() != null) {
      return new Page(task, limit, call, from).readRest();
    }
    return from.token() >= task.upTo()
        ? CompletableFuture.completedFuture(ScanPage.of(List.of(), null))
        : new Page(task, limit, call, from).readTokens();
  }

  private final class Page {
    private final ScanTask task;
    private final PageLimit limit;
    private final Call call;
    private final ScanPosition from;
    private final List<Cell> rows = new ArrayList<>();
    private int bytes;
    private int looked;
    private @Nullable StoreKey last;

    Page(ScanTask task, PageLimit limit, Call call, ScanPosition from) {
      this.task = task;
      this.limit = limit;
      this.call = call;
      this.from = from;
    }

    CompletionStage<ScanPage> readTokens() {
      BoundStatement statement =
          statements
              .tokens(Request.SCAN, from.token(), task.upTo())
              .setPageSize(pageRows())
              .build();
      return fetch(statement).thenCompose(result -> takeTokens(statement, result));
    }

    private CompletionStage<AsyncResultSet> fetch(BoundStatement statement) {
      long expected = reader.sizes().expected(statement.getPageSize());
      return requests.read(what(), statement, call, expected);
    }

    private CompletionStage<ScanPage> takeTokens(BoundStatement statement, AsyncResultSet result) {
      for (Row found : result.currentPage()) {
        StoreKey key =
            shape == Shape.POINT
                ? StoreKey.of(bytes(found, 0), Bytes.empty())
                : StoreKey.of(bytes(found, 0), bytes(found, 1), bytes(found, 2));
        StoreKey before = last;
        if (isFull() && before != null) {
          ScanPosition end = between(before, key);
          if (end != null) {
            return done(end);
          }
        }
        take(key, found, shape == Shape.POINT ? 1 : 3);
      }
      ByteBuffer more = result.getExecutionInfo().getPagingState();
      if (more == null) {
        return done(null);
      }
      return fetch(statement.setPagingState(more).setPageSize(pageRows()))
          .thenCompose(next -> takeTokens(statement, next));
    }

    /** Returns the position between two consecutive rows; null if a page cannot end there. */
    private @Nullable ScanPosition between(StoreKey before, StoreKey next) {
      long token = token(before);
      if (token(next) != token) {
        return ScanPosition.behind(token);
      }
      return shape == Shape.RANGE
              && before.main().equals(next.main())
              && before.shard().equals(next.shard())
          ? ScanPosition.inside(token, before.main(), before.shard(), next.clustering())
          : null;
    }

    CompletionStage<ScanPage> readRest() {
      ScanPosition.Partition partition = Objects.requireNonNull(from.partition());
      BoundStatement statement =
          statements
              .partition(Request.SCAN_REST, partition.main(), partition.shard())
              .setBytesUnsafe(2, partition.clustering().asReadOnlyBuffer())
              .setPageSize(pageRows())
              .build();
      return fetch(statement).thenCompose(result -> takeRest(partition, statement, result));
    }

    private CompletionStage<ScanPage> takeRest(
        ScanPosition.Partition partition, BoundStatement statement, AsyncResultSet result) {
      for (Row found : result.currentPage()) {
        StoreKey key = StoreKey.of(partition.main(), partition.shard(), bytes(found, 0));
        if (isFull()) {
          return done(
              ScanPosition.inside(
                  from.token(), partition.main(), partition.shard(), key.clustering()));
        }
        take(key, found, 1);
      }
      ByteBuffer more = result.getExecutionInfo().getPagingState();
      if (more == null) {
        return readSiblings(partition);
      }
      return fetch(statement.setPagingState(more).setPageSize(pageRows()))
          .thenCompose(next -> takeRest(partition, statement, next));
    }

    /** Goes on with the next partition of the same token, if there is one. */
    private CompletionStage<ScanPage> readSiblings(ScanPosition.Partition partition) {
      BoundStatement statement =
          statements.tokens(Request.PARTITIONS, from.token(), from.token()).build();
      return requests
          .read(what(), statement, call)
          .thenCompose(
              result -> {
                boolean passed = false;
                for (Row found : result.currentPage()) {
                  Bytes main = bytes(found, 0);
                  Bytes shard = bytes(found, 1);
                  if (passed) {
                    return done(ScanPosition.inside(from.token(), main, shard, Bytes.empty()));
                  }
                  passed = main.equals(partition.main()) && shard.equals(partition.shard());
                }
                return done(ScanPosition.behind(from.token()));
              });
    }

    private void take(StoreKey key, Row found, int cellColumn) {
      last = key;
      looked++;
      Cell row = reader.live(key, found, cellColumn);
      if (row != null) {
        rows.add(row);
        bytes += key.main().size() + row.size();
      }
    }

    private boolean isFull() {
      return rows.size() >= limit.entries()
          || bytes >= limit.bytes()
          || looked >= RangeReader.MAX_LOOKED;
    }

    /** Returns a page size that divides what is wanted, so that no row is read in vain. */
    private int pageRows() {
      long wanted = limit.entries() + 1L;
      long pages = (wanted + MAX_PAGE_ROWS - 1) / MAX_PAGE_ROWS;
      int rows = (int) ((wanted + pages - 1) / pages);
      return Math.min(rows, reader.sizes().rowsFor(limit.bytes() - bytes));
    }

    private CompletionStage<ScanPage> done(@Nullable ScanPosition next) {
      return reader
          .rows(rows, call)
          .thenApply(whole -> ScanPage.of(whole, next == null ? null : next.print()));
    }

    private long token(StoreKey key) {
      return shape == Shape.POINT
          ? Murmur3.token(key.main())
          : Murmur3.token(key.main(), key.shard());
    }

    private String what() {
      return "scanning collection " + collection;
    }
  }

  private static Bytes bytes(Row row, int column) {
    ByteBuffer buffer = row.getBytesUnsafe(column);
    if (buffer == null) {
      throw new KvException.Permanent(
          "the server returned a row without its key: report this as a bug");
    }
    return Bytes.of(buffer);
  }
}
