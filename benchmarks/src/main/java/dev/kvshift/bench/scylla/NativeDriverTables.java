package dev.kvshift.bench.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchStatementBuilder;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import dev.kvshift.bench.measure.InFlight;
import dev.kvshift.bench.measure.ParallelScan;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The baseline of loads and scans: loops on the native driver alone, in tables of their own.
 *
 * @param inFlight requests in flight at once
 */
record NativeDriverTables(CqlSession session, int inFlight) {
  private static final String POINTS = "raw";
  private static final String RANGES = "raw_range";

  /** Creates a table, which keeps all rows until {@link #truncate}. */
  void create(String table, String columns) {
    session.execute(
        SimpleStatement.newInstance(
            "CREATE TABLE bench."
                + table
                + " ("
                + columns
                + ") WITH compaction = {'class': 'SizeTieredCompactionStrategy'}"));
  }

  void truncate(String table) {
    session.execute(SimpleStatement.newInstance("TRUNCATE bench." + table));
  }

  /** Creates the table of {@link #loadPoints} and returns its statement. */
  PreparedStatement preparePoints() {
    create(POINTS, "k blob PRIMARY KEY, v blob");
    return prepareInsert("INSERT INTO bench.raw (k, v) VALUES (?, ?)");
  }

  /** Loads points, one row per statement, and returns rows per second. */
  double loadPoints(PreparedStatement insert, PointRows rows) throws InterruptedException {
    truncate(POINTS);
    InFlight load = new InFlight(inFlight);
    long start = System.nanoTime();
    for (int i = 0; i < rows.size(); i++) {
      ByteBuffer key = ByteBuffer.wrap(rows.key(i));
      ByteBuffer value = ByteBuffer.wrap(rows.value(i));
      load.run(
          () ->
              session.executeAsync(
                  insert
                      .boundStatementBuilder()
                      .setBytesUnsafe(0, key)
                      .setBytesUnsafe(1, value)
                      .build()));
    }
    return load.perSecond(start, rows.size());
  }

  /** Creates the table of {@link #loadRanges} and returns its statement. */
  PreparedStatement prepareRanges() {
    create(
        RANGES,
        "main blob, shard blob, clustering blob, v blob, PRIMARY KEY ((main, shard), clustering)");
    return prepareInsert(
        "INSERT INTO bench.raw_range (main, shard, clustering, v) VALUES (?, ?, ?, ?)");
  }

  /**
   * Loads ranges in unlogged batches of rows of one partition and returns rows per second.
   *
   * @param batch rows in a batch
   */
  double loadRanges(PreparedStatement insert, RangeRows rows, int batch)
      throws InterruptedException {
    truncate(RANGES);
    InFlight load = new InFlight(Math.max(1, inFlight / batch));
    long start = System.nanoTime();
    for (byte[] main : rows.mains()) {
      for (int from = 0; from < RangeRows.ENTRIES; from += batch) {
        BatchStatementBuilder statements = BatchStatement.builder(DefaultBatchType.UNLOGGED);
        for (int i = from; i < Math.min(RangeRows.ENTRIES, from + batch); i++) {
          statements.addStatement(
              insert
                  .boundStatementBuilder()
                  .setBytesUnsafe(0, ByteBuffer.wrap(main))
                  .setBytesUnsafe(1, ByteBuffer.allocate(0))
                  .setBytesUnsafe(2, ByteBuffer.wrap(RangeRows.clustering(i)))
                  .setBytesUnsafe(3, ByteBuffer.wrap(rows.value(i)))
                  .build());
        }
        BatchStatement statement = statements.setIdempotence(true).build();
        load.run(() -> session.executeAsync(statement));
      }
    }
    return load.perSecond(start, rows.size());
  }

  private PreparedStatement prepareInsert(String cql) {
    return session.prepare(SimpleStatement.builder(cql).setIdempotence(true).build());
  }

  /**
   * Counts the rows of a table by scanning equal token ranges.
   *
   * @param select a statement with the start, exclusive, and the end of a token range
   */
  long scan(PreparedStatement select, ScanShape shape) throws Exception {
    return ParallelScan.sum(
        tokenRanges(shape.splits()), shape.threads(), range -> scan(select, range, shape));
  }

  /**
   * The division of a scan.
   *
   * @param splits token ranges
   * @param threads ranges read at once
   */
  record ScanShape(int splits, int threads, int pageRows) {}

  private record TokenRange(long after, long upTo) {}

  private static List<TokenRange> tokenRanges(int splits) {
    long step = Long.divideUnsigned(Long.MIN_VALUE, splits) * 2;
    List<TokenRange> ranges = new ArrayList<>();
    for (int i = 0; i < splits; i++) {
      long after = Long.MIN_VALUE + i * step;
      ranges.add(new TokenRange(after, i == splits - 1 ? Long.MAX_VALUE : after + step));
    }
    return ranges;
  }

  private long scan(PreparedStatement select, TokenRange range, ScanShape shape) throws Exception {
    long count = 0;
    AsyncResultSet found =
        session
            .executeAsync(
                select
                    .boundStatementBuilder()
                    .setLong(0, range.after)
                    .setLong(1, range.upTo)
                    .setPageSize(shape.pageRows)
                    .build())
            .toCompletableFuture()
            .get();
    while (true) {
      for (Row row : found.currentPage()) {
        if (row.getBytesUnsafe(0) != null && row.getBytesUnsafe(1) != null && row.getLong(2) > 0) {
          count++;
        }
      }
      if (!found.hasMorePages()) {
        return count;
      }
      found = found.fetchNextPage().toCompletableFuture().get();
    }
  }
}
