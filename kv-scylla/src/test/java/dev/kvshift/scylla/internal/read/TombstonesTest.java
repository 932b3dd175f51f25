package dev.kvshift.scylla.internal.read;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.datastax.oss.driver.api.core.servererrors.ReadTimeoutException;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.model.key.Keys;
import dev.kvshift.scylla.InterceptedSession;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Reads that a node refuses, since they meet more dead rows than it allows. */
@Tag("own-server")
final class TombstonesTest {
  private static final int ALLOWED = 200;
  private static final int DEAD = 12 * ALLOWED;
  private static final Layout RANGE = Layout.range(ShardRule.none());
  private static final Bytes MAIN = Bytes.utf8("main");
  private static final Bytes VALUE = Bytes.utf8("live");
  private static final ScanTask ALL = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
  private static CassandraNode node;

  @BeforeAll
  static void start() {
    node =
        CassandraNode.builder()
            .setting("tombstone_warn_threshold", Integer.toString(ALLOWED / 2))
            .setting("tombstone_failure_threshold", Integer.toString(ALLOWED))
            .start();
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static ConnectionString string(String timeout) {
    return ConnectionString.parse(
        "scylla://"
            + node.address()
            + "/tombstones?create=if-missing&replication=1&localDatacenter="
            + node.datacenter()
            + "&timeout="
            + timeout);
  }

  private static Store open() {
    return TestStores.open(string("20s"), VersionClock.ofProcess());
  }

  /** Dead, a live row, dead, a live row, dead: in both directions, and by scan. */
  @Test
  void rangeAndScan_betweenMoreDeadRowsThanTheNodeAllows_findTheLiveOnes() {
    try (Store store = open()) {
      StoreCollection events = await(store.open("events", RANGE, Claim.ACTIVE));
      delete(events, 0, 2 * DEAD);
      List<StoreKey> live = List.of(key(DEAD), key(DEAD + 1), key(2 * DEAD - 500));
      for (StoreKey key : live) {
        await(events.write(key, Mutation.put(VALUE), call()));
      }

      assertThat(walk(events, Range.all())).isEqualTo(live);
      assertThat(walk(events, Range.all().backward()))
          .containsExactly(live.get(2), live.get(1), live.get(0));
      assertThat(walk(events, Range.from(clustering(10)).withTo(clustering(DEAD + 1), false)))
          .containsExactly(live.get(0));
      assertThat(scan(events)).isEqualTo(live);
    }
  }

  @Test
  void rangeAndScan_onlyDeadRows_end() {
    try (Store store = open()) {
      StoreCollection dead = await(store.open("dead", RANGE, Claim.ACTIVE));
      delete(dead, 0, DEAD);
      assertThat(walk(dead, Range.all())).isEmpty();
      assertThat(walk(dead, Range.all().backward())).isEmpty();
      assertThat(scan(dead)).isEmpty();
    }
  }

  @Test
  void scan_keysOfWholeTokenRangesDeleted_findsTheLiveOnes() {
    try (Store store = open()) {
      StoreCollection mains = await(store.open("mains", RANGE, Claim.ACTIVE));
      List<StoreKey> live = new ArrayList<>();
      for (int i = 0; i < DEAD; i++) {
        StoreKey key = StoreKey.of(clustering(i), clustering(i));
        boolean lives = i % 1_000 == 7;
        await(mains.write(key, lives ? Mutation.put(VALUE) : Mutation.delete(), call()));
        if (lives) {
          live.add(key);
        }
      }
      assertThat(scan(mains)).containsExactlyInAnyOrderElementsOf(live);
    }
  }

  /** With little time a page ends at a position from which the next one continues. */
  @Test
  void range_deadlineAmongDeadRows_givesAPositionAndGoesOnFromIt() {
    try (Store store = open()) {
      StoreCollection far = await(store.open("far", RANGE, Claim.ACTIVE));
      delete(far, 0, DEAD);
      await(far.write(key(DEAD), Mutation.put(VALUE), call()));
      AtomicInteger asked = new AtomicInteger();
      try (Store slow =
          TestStores.open(
              string("20s"),
              (statement, real) ->
                  isRange(statement)
                      ? after(Duration.ofMillis(60), () -> real.apply(statement), asked)
                      : real.apply(statement))) {
        StoreCollection slowly = await(slow.open("far", RANGE, Claim.ACTIVE));
        List<StoreKey> found = new ArrayList<>();
        int limits = 0;
        int failed = 0;
        Range rest = Range.all();
        while (found.isEmpty()) {
          RowPage page;
          try {
            page =
                await(
                    slowly.range(
                        MAIN,
                        Bytes.empty(),
                        rest,
                        PageLimit.entries(10),
                        Call.within(Duration.ofMillis(500))));
          } catch (KvException.Transient e) {
            failed++;
            continue;
          }
          page.rows().forEach(row -> found.add(row.key()));
          if (page.stop() == Stop.SCAN_LIMIT && page.rows().isEmpty()) {
            limits++;
          }
          if (page.passed() != null) {
            rest = rest.beyond(page.passed());
          }
        }
        assertThat(found).containsExactly(key(DEAD));
        assertThat(limits).isPositive();
        assertThat(failed).isLessThan(20);
      }
    }
  }

  private static CompletionStage<AsyncResultSet> after(
      Duration pause, Supplier<CompletionStage<AsyncResultSet>> send, AtomicInteger asked) {
    asked.incrementAndGet();
    return Futures.after(pause).thenCompose(waited -> send.get());
  }

  /** A server that times out leaves the next try a narrower part, even without a position. */
  @Test
  void range_serverTimesOutOnWideReads_aRetryIsNarrowerUntilItAnswers() {
    try (Store filling = open()) {
      StoreCollection wide = await(filling.open("wide", RANGE, Claim.ACTIVE));
      await(wide.write(key(5), Mutation.put(VALUE), call()));
      AtomicInteger refusals = new AtomicInteger();
      try (Store store =
          TestStores.open(
              string("20s"),
              (statement, real) ->
                  isRange(statement) && refusals.incrementAndGet() <= 5
                      ? CompletableFuture.failedFuture(timeout())
                      : real.apply(statement))) {
        StoreCollection events = await(store.open("wide", RANGE, Claim.ACTIVE));
        assertThat(walk(events, Range.all())).containsExactly(key(5));
        assertThat(refusals).hasValueGreaterThan(5);
      }
    }
  }

  /** ScyllaDB refuses nothing, but ends page after page without a row. */
  @Test
  void rangeAndScan_pagesWithoutARowUntilTheDeadline_areNarrowedInTime() {
    try (Store filling = open()) {
      StoreCollection hidden = await(filling.open("hidden", RANGE, Claim.ACTIVE));
      await(hidden.write(key(5), Mutation.put(VALUE), call()));
      try (Store store =
          TestStores.open(
              string("20s"),
              (statement, real) ->
                  isUnbounded(statement)
                      ? Futures.after(Duration.ofMillis(5))
                          .thenCompose(
                              waited -> real.apply(statement.setPagingState((ByteBuffer) null)))
                          .thenApply(EmptyPagesTest::emptied)
                      : real.apply(statement))) {
        StoreCollection events = await(store.open("hidden", RANGE, Claim.ACTIVE));
        RowPage page =
            await(
                events.range(
                    MAIN,
                    Bytes.empty(),
                    Range.all(),
                    PageLimit.entries(10),
                    Call.within(Duration.ofSeconds(2))));
        assertThat(page.passed()).isNotNull();
        ScanPage scanned =
            await(
                events.scan(ALL, null, PageLimit.entries(10), Call.within(Duration.ofSeconds(2))));
        assertThat(scanned.next()).isNotNull();
      }
    }
  }

  private static boolean isUnbounded(Statement<?> statement) {
    String query = InterceptedSession.query(statement);
    return (isRange(statement) && !query.contains("clustering < ?"))
        || (query.startsWith("SELECT main, shard, clustering")
            && ((BoundStatement) statement).getLong(1) == Long.MAX_VALUE);
  }

  @Test
  void range_serverNeverAnswers_isTransient() {
    try (Store store =
        TestStores.open(
            string("20s"),
            (statement, real) ->
                isRange(statement)
                    ? CompletableFuture.failedFuture(timeout())
                    : real.apply(statement))) {
      StoreCollection events = await(store.open("silent", RANGE, Claim.ACTIVE));
      assertThatThrownBy(
              () ->
                  await(
                      events.range(
                          MAIN,
                          Bytes.empty(),
                          Range.all(),
                          PageLimit.entries(10),
                          Call.within(Duration.ofMillis(300)))))
          .isInstanceOf(KvException.Transient.class);
    }
  }

  private static boolean isRange(Statement<?> statement) {
    return InterceptedSession.query(statement).contains(" LIMIT ?")
        && InterceptedSession.query(statement).startsWith("SELECT clustering");
  }

  private static ReadTimeoutException timeout() {
    return new ReadTimeoutException(null, DefaultConsistencyLevel.LOCAL_QUORUM, 0, 1, false);
  }

  private static void delete(StoreCollection collection, int from, int to) {
    List<CompletionStage<Long>> deletes = new ArrayList<>();
    for (int i = from; i < to; i++) {
      deletes.add(collection.write(key(i), Mutation.delete(), call()));
    }
    deletes.forEach(TestStores::await);
  }

  private static List<StoreKey> walk(StoreCollection collection, Range range) {
    List<StoreKey> found = new ArrayList<>();
    Range rest = range;
    while (true) {
      RowPage page =
          await(collection.range(MAIN, Bytes.empty(), rest, PageLimit.entries(10), call()));
      for (Row row : page.rows()) {
        found.add(row.key());
      }
      if (page.passed() == null) {
        return found;
      }
      rest = rest.beyond(page.passed());
    }
  }

  private static List<StoreKey> scan(StoreCollection collection) {
    List<StoreKey> found = new ArrayList<>();
    Bytes position = null;
    do {
      ScanPage page = await(collection.scan(ALL, position, PageLimit.entries(10), call()));
      for (Row row : page.rows()) {
        found.add(row.key());
      }
      position = page.next();
    } while (position != null);
    return found;
  }

  private static StoreKey key(int number) {
    return StoreKey.of(MAIN, clustering(number));
  }

  private static Bytes clustering(int number) {
    return Keys.int32().encode(number);
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(20));
  }
}
