package dev.kvshift.scylla;

import static dev.kvshift.scylla.TestStores.await;
import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.servererrors.OverloadedException;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.api.ShardRule;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A table that plain CQL has made and filled, opened as a collection. */
final class ForeignTableTest {
  private static final String OWN = TestStores.newKeyspace();
  private static final String SHOP = TestStores.newKeyspace();
  private static final Layout POINT = Layout.point().withEncoding(0);
  private static final Layout RANGE = Layout.range(ShardRule.none()).withEncoding(0);
  private static final ScanTask ALL = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);

  private static CqlSession cql;

  @BeforeAll
  static void makeKeyspace() {
    cql = Sessions.open(Settings.of(TestStores.string(SHOP, "")));
    cql.execute(
        "CREATE KEYSPACE "
            + SHOP
            + " WITH replication = {'class': 'NetworkTopologyStrategy', '"
            + TestServer.shared().datacenter()
            + "': 1}");
  }

  @AfterAll
  static void dropKeyspaces() {
    cql.close();
    TestStores.drop(OWN);
    TestStores.drop(SHOP);
    RecordedStatements.assertClean();
  }

  private static ConnectionString string(String table, String columns) {
    return TestStores.string(OWN, "&table=" + SHOP + "." + table + columns);
  }

  private static void run(String statement) {
    cql.execute(statement.replace("shop.", SHOP + "."));
  }

  private static StoreCollection orders(Store store, String name) {
    return await(store.open(name, RANGE, Claim.ACTIVE));
  }

  private static Store makeOrders(String table, String more) {
    run(
        "CREATE TABLE shop."
            + table
            + " (customer text, \"Id\" text, body blob, PRIMARY KEY (customer, \"Id\"))");
    return TestStores.openTable(string(table, "&main=customer&clustering=Id&value=body" + more));
  }

  private static StoreKey key(String customer, String id) {
    return StoreKey.of(Bytes.utf8(customer), Bytes.utf8(id));
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }

  private static @Nullable Row get(StoreCollection orders, StoreKey key) {
    return orders.get(key, call()).toCompletableFuture().join();
  }

  private static List<Row> scan(StoreCollection collection, int limit) {
    List<Row> rows = new ArrayList<>();
    Bytes position = null;
    do {
      ScanPage page = await(collection.scan(ALL, position, PageLimit.entries(limit), call()));
      rows.addAll(page.rows());
      position = page.next();
    } while (position != null);
    return rows;
  }

  private static RowPage range(StoreCollection orders, String customer, Range range, int limit) {
    return await(
        orders.range(Bytes.utf8(customer), Bytes.empty(), range, PageLimit.entries(limit), call()));
  }

  @Test
  void reads_ofRowsThatPlainCqlHasWritten_showVersionAndExpiry() {
    try (Store store = makeOrders("plain", "")) {
      long soon = TimeUnit.MILLISECONDS.toSeconds(System.currentTimeMillis());
      run(
          "INSERT INTO shop.plain (customer, \"Id\", body) VALUES ('eve', 'a', 0x01)"
              + " USING TIMESTAMP 1000");
      run(
          "INSERT INTO shop.plain (customer, \"Id\", body) VALUES ('eve', 'b', 0x02)"
              + " USING TIMESTAMP 2000 AND TTL 3600");
      run(
          "UPDATE shop.plain USING TIMESTAMP 3000 SET body = 0x03"
              + " WHERE customer = 'eve' AND \"Id\" = 'c'");
      run(
          "INSERT INTO shop.plain (customer, \"Id\", body) VALUES ('bob', '', 0x04)"
              + " USING TIMESTAMP 4000");
      StoreCollection orders = orders(store, "plain");

      Row expiring = get(orders, key("eve", "b"));
      assertThat(expiring.version()).isEqualTo(2000);
      assertThat(expiring.expiry())
          .isBetween(Instant.ofEpochSecond(soon + 3595), Instant.ofEpochSecond(soon + 3660));
      Row first = Row.of(key("eve", "a"), 1000, Bytes.fromHex("01"), null);
      Row third = Row.of(key("eve", "c"), 3000, Bytes.fromHex("03"), null);
      Row other = Row.of(key("bob", ""), 4000, Bytes.fromHex("04"), null);
      assertThat(get(orders, key("eve", "a"))).isEqualTo(first);
      assertThat(get(orders, key("eve", "d"))).isNull();
      assertThat(range(orders, "eve", Range.all(), 9).rows())
          .containsExactly(first, expiring, third);
      assertThat(range(orders, "eve", Range.all().backward(), 2).rows())
          .containsExactly(third, expiring);
      assertThat(range(orders, "eve", Range.prefix(Bytes.utf8("b")), 9).rows())
          .containsExactly(expiring);
      assertThat(range(orders, "eve", Range.from(Bytes.fromHex("61ff")), 9).rows())
          .containsExactly(expiring, third);
      for (int limit : List.of(1, 2, 10)) {
        assertThat(scan(orders, limit)).containsExactlyInAnyOrder(first, expiring, third, other);
      }
    }
  }

  @Test
  void scan_ofManyRows_resumesInsideAPartition() {
    try (Store store = makeOrders("many", "")) {
      StoreCollection orders = orders(store, "many");
      List<StoreKey> keys = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        StoreKey key = key("customer " + i % 3, String.format("%03d", i));
        keys.add(key);
        await(orders.write(key, Mutation.put(Bytes.utf8("row")).withVersion(5L + i), call()));
      }
      assertThat(scan(orders, 7)).extracting(Row::key).containsExactlyInAnyOrderElementsOf(keys);
      List<StoreKey> byTask = new ArrayList<>();
      for (ScanTask task : await(orders.scanTasks(4, call()))) {
        ScanPage page = await(orders.scan(task, null, PageLimit.entries(100), call()));
        assertThat(page.next()).isNull();
        page.rows().forEach(row -> byTask.add(row.key()));
        assertThat(page.rows()).allMatch(row -> task.contains(orders.token(row.key())));
      }
      assertThat(byTask).containsExactlyInAnyOrderElementsOf(keys);
    }
  }

  @Test
  void writes_areWhatPlainCqlReads_andTheNewestWins() {
    try (Store store = makeOrders("written", "")) {
      StoreCollection orders = orders(store, "written");
      Instant expiry = Instant.now().plusSeconds(3600);
      await(
          orders.write(
              key("eve", "a"),
              Mutation.put(Bytes.utf8("new")).withVersion(2000L).withExpiry(expiry),
              call()));
      await(
          orders.write(
              key("eve", "a"), Mutation.put(Bytes.utf8("old")).withVersion(1000L), call()));
      var row =
          cql.execute(
                  "SELECT blobAsText(body), WRITETIME(body), TTL(body) FROM " + SHOP + ".written")
              .one();
      assertThat(row.getString(0)).isEqualTo("new");
      assertThat(row.getLong(1)).isEqualTo(2000);
      assertThat(row.getInt(2)).isBetween(3500, 3601);
      assertThat(get(orders, key("eve", "a")).expiry())
          .isEqualTo(Instant.ofEpochSecond(expiry.plusMillis(999).getEpochSecond()));
      await(orders.write(key("eve", "a"), Mutation.delete().withVersion(2000L), call()));
      assertThat(cql.execute("SELECT * FROM " + SHOP + ".written").all()).isEmpty();
      assertThat(get(orders, key("eve", "a"))).isNull();
      assertThat(await(orders.write(key("eve", "b"), Mutation.put(Bytes.empty()), call())))
          .isGreaterThan(2000);
      assertThat(get(orders, key("eve", "b")).value()).isEqualTo(Bytes.empty());
    }
  }

  @Test
  void deletesKept_areReadInEveryWay_untilAPutHidesThem() {
    try (Store store = makeOrders("kept", "&deletes=kept")) {
      assertThat(store.capabilities())
          .contains(Capability.TOMBSTONE_READS, Capability.LARGE_MAIN_KEYS, Capability.RANGES)
          .doesNotContain(Capability.LOCKS, Capability.DROP);
      StoreCollection orders = orders(store, "kept");
      run(
          "INSERT INTO shop.kept (customer, \"Id\", body) VALUES ('eve', 'a', 0x01)"
              + " USING TIMESTAMP 1000");
      run(
          "INSERT INTO shop.kept (customer, \"Id\", body) VALUES ('eve', 'c', 0x03)"
              + " USING TIMESTAMP 1000");
      await(orders.write(key("eve", "a"), Mutation.delete().withVersion(2000L), call()));
      await(orders.write(key("eve", "b"), Mutation.delete().withVersion(3000L), call()));
      Row deleted = Row.tombstone(key("eve", "a"), 2000);
      Row never = Row.tombstone(key("eve", "b"), 3000);
      Row live = Row.of(key("eve", "c"), 1000, Bytes.fromHex("03"), null);

      assertThat(get(orders, key("eve", "a"))).isEqualTo(deleted);
      assertThat(range(orders, "eve", Range.all(), 9))
          .isEqualTo(RowPage.of(List.of(deleted, never, live), Stop.END, null));
      assertThat(range(orders, "eve", Range.all().backward(), 9).rows())
          .containsExactly(live, never, deleted);
      assertThat(scan(orders, 2)).containsExactlyInAnyOrder(deleted, never, live);

      run(
          "UPDATE shop.kept USING TIMESTAMP 1500 SET body = 0x09"
              + " WHERE customer = 'eve' AND \"Id\" = 'a'");
      assertThat(get(orders, key("eve", "a"))).isEqualTo(deleted);
      await(
          orders.write(
              key("eve", "a"), Mutation.put(Bytes.utf8("back")).withVersion(4000L), call()));
      Row back = Row.of(key("eve", "a"), 4000, Bytes.utf8("back"), null);
      assertThat(get(orders, key("eve", "a"))).isEqualTo(back);
      assertThat(scan(orders, 2)).containsExactlyInAnyOrder(back, never, live);
      assertThat(range(orders, "eve", Range.all(), 1).rows()).containsExactly(back);
    }
  }

  @Test
  void expiredEntries_ofAStoreThatKeepsDeletes_areTombstonesOfTheirVersion() {
    try (Store store = makeOrders("expired", "&deletes=kept")) {
      StoreCollection orders = orders(store, "expired");
      Instant expiry = Instant.now().plusSeconds(4);
      Mutation put = Mutation.put(Bytes.utf8("short")).withVersion(2000L);
      await(orders.write(key("eve", "a"), Mutation.delete().withVersion(1000L), call()));
      await(orders.write(key("eve", "a"), put.withExpiry(expiry), call()));
      Await.until(
          "the entry has expired",
          () -> {
            try {
              return get(orders, key("eve", "a")).isTombstone();
            } catch (CompletionException e) {
              assertThat(e).hasCauseInstanceOf(KvException.Transient.class);
              return false;
            }
          });
      Row dead = Row.tombstone(key("eve", "a"), 2000);
      assertThat(get(orders, key("eve", "a"))).isEqualTo(dead);
      assertThat(range(orders, "eve", Range.all(), 9).rows()).containsExactly(dead);
      assertThat(scan(orders, 5)).containsExactly(dead);
    }
  }

  @Test
  void delete_thatTheTableHasNotTaken_isOfUnknownOutcome() {
    AtomicBoolean refuses = new AtomicBoolean();
    List<String> sent = new CopyOnWriteArrayList<>();
    makeOrders("refusing", "").close(); // makes the table
    try (Store store =
        TestStores.openTable(
            string("refusing", "&main=customer&clustering=Id&value=body&deletes=kept"),
            (statement, real) -> {
              String query = InterceptedSession.query(statement);
              if (query.contains("\"" + SHOP + "\"") || query.contains("refusing_dead")) {
                sent.add(query);
              }
              return refuses.get()
                      && query.contains("\"" + SHOP + "\"")
                      && !query.startsWith("SELECT")
                  ? CompletableFuture.<AsyncResultSet>failedFuture(new OverloadedException(null))
                  : real.apply(statement);
            })) {
      StoreCollection orders = orders(store, "refusing");
      await(orders.write(key("eve", "a"), Mutation.put(Bytes.utf8("1")).withVersion(5L), call()));
      await(orders.write(key("eve", "b"), Mutation.delete().withVersion(7L), call()));
      sent.clear();
      refuses.set(true);
      assertThatThrownBy(
              () -> await(orders.write(key("eve", "a"), Mutation.delete().withVersion(6L), call())))
          .isInstanceOf(KvException.UnknownOutcome.class)
          .hasMessage(
              "collection refusing: the write is noted beside the table, which has not taken it: read"
                  + " back, or write again");
      assertThat(sent).hasSize(2);
      assertThat(sent.get(0)).startsWith("UPDATE \"" + OWN + "\".");
      assertThat(sent.get(1)).startsWith("DELETE FROM \"" + SHOP + "\".");
      assertThat(get(orders, key("eve", "a")).version()).isEqualTo(5);
      Mutation expiring =
          Mutation.put(Bytes.empty()).withVersion(8L).withExpiry(Instant.now().plusSeconds(3600));
      assertThatThrownBy(() -> await(orders.write(key("eve", "b"), expiring, call())))
          .isInstanceOf(KvException.UnknownOutcome.class);
      assertThat(get(orders, key("eve", "b"))).isEqualTo(Row.tombstone(key("eve", "b"), 7));
      assertThatThrownBy(
              () ->
                  await(
                      orders.write(
                          key("eve", "b"), Mutation.put(Bytes.empty()).withVersion(9L), call())))
          .isInstanceOf(KvException.Transient.class);
      sent.clear();
      assertThat(get(orders, key("eve", "none"))).isNull();
      assertThat(sent.get(0)).contains(SHOP);
      assertThat(sent.subList(1, 3)).allMatch(query -> query.contains(OWN));
    }
  }

  @Test
  void open_createsNothingBesideTheTable() {
    try (Store store = makeOrders("alone", "&deletes=kept")) {
      StoreCollection orders = orders(store, "alone");
      await(orders.write(key("eve", "a"), Mutation.delete().withVersion(6L), call()));
      assertThat(
              cql.execute(
                      "SELECT table_name FROM system_schema.tables WHERE keyspace_name = '"
                          + SHOP
                          + "'")
                  .all())
          .extracting(row -> row.getString(0))
          .doesNotContain("kvshift_metadata", "kvshift_locks", "alone_dead_i1")
          .allMatch(name -> !name.contains("_i1"));
    }
  }

  @Test
  void open_forOtherUses_isRefused() {
    try (Store store = makeOrders("uses", "")) {
      assertThatThrownBy(() -> await(store.open("orders", POINT, Claim.ACTIVE)))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageEndingWith("a clustering column: open it as a range collection");
      assertThatThrownBy(() -> await(store.open("orders", RANGE.withEncoding(1), Claim.ACTIVE)))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("declare them asIs() in the model, which is encoding=0");
      assertThatThrownBy(() -> await(store.open("orders", RANGE, Claim.importing(COPY))))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageEndingWith("a migration can leave it, not fill it");
      StoreCollection uses = await(store.open("uses", RANGE, Claim.ACTIVE));
      assertThatThrownBy(() -> await(store.open("other", RANGE, Claim.ACTIVE)))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("says that collection-of/" + SHOP + ".uses is uses");
      assertThatThrownBy(() -> uses.check(key("", "a"), Mutation.delete()))
          .isInstanceOf(KvException.InvalidArgument.class);
      assertThatThrownBy(
              () -> uses.check(StoreKey.of(Bytes.fromHex("ff"), Bytes.empty()), Mutation.delete()))
          .isInstanceOf(KvException.InvalidArgument.class)
          .hasMessage("collection uses: a main key of 1 bytes is no text: give UTF-8");
      assertThatThrownBy(
              () ->
                  uses.check(
                      key("a", "b"),
                      Mutation.put(Bytes.empty())
                          .withExpiry(Instant.parse("2039-01-01T00:00:00Z"))))
          .isInstanceOf(KvException.InvalidArgument.class)
          .hasMessageContaining("would expire after 2038-01-19");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "k text PRIMARY KEY, v blob, tags list<text> | its column tags is a collection, of type"
            + " list<text>, and a row must be one cell: two writes of a row could each win a part of"
            + " it",
        "k text PRIMARY KEY, v counter | its column v is a counter, of type counter, and a row must"
            + " be one cell: two writes of a row could each win a part of it",
        "k text, c text, s blob static, v blob, PRIMARY KEY (k, c) | its column s is a static"
            + " column, of type blob, and a row must be one cell: two writes of a row could each win"
            + " a part of it",
        "k text PRIMARY KEY, v blob, w int | its column w is another column of type int beside the"
            + " value, and a row must be one cell: two writes of a row could each win a part of it",
        "k text PRIMARY KEY, v blob, a frozen<pair> | its column a is of a type of its own, of type"
            + " frozen<PAIR>, and a row must be one cell: two writes of a row could each win a part"
            + " of it",
        "k text PRIMARY KEY, w blob | it has no column v, which value= names; its columns are k, w",
        "k text, l text, v blob, PRIMARY KEY ((k, l)) | its partition key has several columns, k,"
            + " l, which have no form as one key",
        "m text PRIMARY KEY, k text, v blob | its partition key is m, not k, as main= says",
        "k text, d text, v blob, PRIMARY KEY (k, d) | its clustering key is d, not none, as"
            + " clustering= says",
        "k varint PRIMARY KEY, v blob | its column k has the type varint, for which kvshift has no"
            + " form: blob and text have one, and int, bigint, uuid and timeuuid as main",
        "k text PRIMARY KEY, v int | its column v of type int is neither blob nor text",
        "k text, c bigint, v blob, PRIMARY KEY (k, c) | the servers order its clustering column c"
            + " of type bigint otherwise than by its bytes; blob and text can be read in ranges",
        "k text, c text, v blob, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC | its"
            + " clustering column c is stored in descending order, and ranges of kvshift ascend",
        "k text PRIMARY KEY, v blob) WITH default_time_to_live = 60 AND (gc_grace_seconds = 864000"
            + " | its default_time_to_live is 60 s, which writes of kvshift do not get: let the"
            + " services give a TTL with each put, and set it to 0",
        "k text PRIMARY KEY, v blob) WITH (gc_grace_seconds = 0 | it forgets deletes after 0 s, so"
            + " that a late write would undo one: set gc_grace_seconds to 86400 or more, and"
            + " tombstone_gc to another mode than immediate"
      })
  void open_tableThatCannotHoldACollection_isRefusedByName(String columns, String why) {
    run("CREATE TYPE IF NOT EXISTS shop.pair (a int, b int)");
    run("DROP TABLE IF EXISTS shop.bad");
    String made = columns.replace("<pair>", "<" + SHOP + ".pair>").replace("(gc_", "gc_");
    boolean isOpen = columns.contains(") WITH");
    run("CREATE TABLE shop.bad (" + made + (isOpen && !columns.contains("(c DESC") ? "" : ")"));
    String clustering = columns.contains(" c ") ? "&clustering=c" : "";
    assertThatThrownBy(
            () -> TestStores.openTable(string("bad", "&main=k&value=v" + clustering)).close())
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "table "
                + SHOP
                + ".bad cannot be opened as a collection: "
                + why.replace("PAIR", SHOP + ".pair")
                + "; nothing was changed: leave it by a driver of your own, see docs/sources.md");
  }

  @Test
  void open_tableThatDoesNotExist_isRefused() {
    assertThatThrownBy(() -> TestStores.openTable(string("none", "&main=k&value=v")).close())
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "table "
                + SHOP
                + ".none does not exist, or is a view: check table= of the connection string");
  }

  @Test
  void open_tableWhoseOptionsCost_warnsOnce() {
    run(
        "CREATE TABLE shop.\"Costly\" (k bigint PRIMARY KEY, v text) WITH compaction ="
            + " {'class': 'TimeWindowCompactionStrategy'}");
    try (CapturedLog log = new CapturedLog();
        Store store = TestStores.openTable(string("Costly", "&main=k&value=v"))) {
      assertThat(log.lines())
          .filteredOn(line -> line.startsWith("WARN table "))
          .singleElement()
          .asString()
          .contains("TimeWindowCompactionStrategy");
      StoreCollection costly = await(store.open("costly", POINT, Claim.ACTIVE));
      StoreKey seven = StoreKey.of(Bytes.fromHex("0000000000000007"), Bytes.empty());
      await(costly.write(seven, Mutation.put(Bytes.utf8("x")).withVersion(9L), call()));
      assertThat(
              cql.execute("SELECT v FROM " + SHOP + ".\"Costly\" WHERE k = 7").one().getString(0))
          .isEqualTo("x");
      assertThat(scan(costly, 3)).containsExactly(Row.of(seven, 9, Bytes.utf8("x"), null));
    }
  }
}
