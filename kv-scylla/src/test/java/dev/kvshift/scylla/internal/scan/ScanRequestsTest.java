package dev.kvshift.scylla.internal.scan;

import static dev.kvshift.scylla.TestStores.await;
import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.scylla.InterceptedSession;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.scylla.internal.cql.Dialect;
import dev.kvshift.scylla.internal.cql.Dialect.Server;
import dev.kvshift.scylla.internal.cql.EveryStatement;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class ScanRequestsTest {
  private static final int ROWS = 300;
  private static final long FIRST_VERSION = 1_000;
  private static final Map<StoreKey, Row> EXPECTED = new TreeMap<>();
  private static final AtomicInteger SCANS = new AtomicInteger();
  private static Store store;
  private static StoreCollection points;

  @BeforeAll
  static void fill() {
    store =
        TestStores.open(
            TestStores.newKeyspace(),
            (statement, real) -> {
              if (InterceptedSession.query(statement).contains("scanned_i1 WHERE token(")) {
                SCANS.incrementAndGet();
              }
              return real.apply(statement);
            });
    points = await(store.open("scanned", Layout.point(), Claim.importing(COPY)));
    Instant later = Instant.now().plusSeconds(3_600).truncatedTo(ChronoUnit.MILLIS);
    for (int i = 0; i < ROWS; i++) {
      StoreKey key = StoreKey.of(Bytes.utf8("key" + i), Bytes.empty());
      Instant expiry = i % 3 == 0 ? later.plusSeconds(i) : null;
      Row row = Row.of(key, FIRST_VERSION + i, Bytes.utf8("value" + i), expiry);
      await(
          points.write(
              key, Mutation.of(row.value()).withExpiry(expiry).withVersion(row.version()), call()));
      EXPECTED.put(key, row);
    }
  }

  @AfterAll
  static void close() {
    store.close();
  }

  @Test
  void scan_allTasksAtOnce_giveEveryRowWithVersionAndExpiryOnce() {
    Map<StoreKey, Row> found = new ConcurrentSkipListMap<>();
    List<CompletableFuture<Void>> scans = new ArrayList<>();
    for (ScanTask task : await(points.scanTasks(8, call()))) {
      scans.add(scanRest(task, null, found).toCompletableFuture());
    }
    assertThat(scans).hasSizeGreaterThanOrEqualTo(64);
    CompletableFuture.allOf(scans.toArray(CompletableFuture[]::new)).join();
    assertThat(found).isEqualTo(EXPECTED);
  }

  private static CompletionStage<Void> scanRest(
      ScanTask task, Bytes position, Map<StoreKey, Row> found) {
    return points
        .scan(task, position, PageLimit.entries(3), call())
        .thenCompose(
            page -> {
              page.rows().forEach(row -> assertThat(found.putIfAbsent(row.key(), row)).isNull());
              return page.next() == null
                  ? CompletableFuture.completedFuture(null)
                  : scanRest(task, page.next(), found);
            });
  }

  /** The reader sets the pace: nothing is read ahead. */
  @Test
  void scan_onePage_sendsOneRequestAndNothingAhead() {
    ScanTask all = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
    Bytes position = null;
    for (int page = 0; page < 5; page++) {
      int before = SCANS.get();
      ScanPage found = await(points.scan(all, position, PageLimit.entries(20), call()));
      assertThat(found.rows()).hasSize(20);
      position = found.next();
      assertThat(SCANS.get() - before).isEqualTo(1);
    }
  }

  @Test
  void scan_statements_bypassTheCacheOnScyllaAloneAndNothingElseDoes() {
    for (Dialect dialect :
        List.of(Dialect.cassandra("5.0.9"), Dialect.scylla(List.of("LWT_WITH_TABLETS,TABLETS")))) {
      boolean scylla = dialect.server() == Server.SCYLLA;
      for (String statement : EveryStatement.of(dialect)) {
        boolean reads = statement.startsWith("SELECT ");
        boolean ofTokens = reads && statement.contains("token(") && statement.contains(" > ?");
        boolean restOfAPartition =
            (statement.startsWith("SELECT clustering, v, WRITETIME(v) FROM")
                    || statement.startsWith("SELECT \"order\", "))
                && !statement.contains("LIMIT");
        boolean scans = ofTokens || restOfAPartition;
        assertThat(statement.endsWith(" BYPASS CACHE")).as(statement).isEqualTo(scans && scylla);
      }
    }
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(20));
  }
}
