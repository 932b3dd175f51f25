package dev.kvshift.scylla;

import static dev.kvshift.scylla.TestStores.await;
import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.api.ShardRule;
import dev.kvshift.scylla.internal.write.PartitionWrites;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class ScyllaStoreTest {
  private static final String KEYSPACE = TestStores.newKeyspace();
  private static final Layout RANGE = Layout.range(ShardRule.none());
  private static Store store;

  @BeforeAll
  static void open() {
    store = TestStores.open(KEYSPACE);
  }

  @AfterAll
  static void close() {
    store.close();
    RecordedStatements.assertClean();
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }

  private static Bytes bytes(String text) {
    return Bytes.utf8(text);
  }

  private static StoreKey key(String main) {
    return StoreKey.of(bytes(main), Bytes.empty());
  }

  private static StoreCollection open(String name, Layout layout, Claim claim) {
    return await(store.open(name, layout, claim));
  }

  @Test
  void write_point_isReadWithItsVersion() {
    StoreCollection points = open("points", Layout.point(), Claim.ACTIVE);
    long version = await(points.write(key("a"), Mutation.put(bytes("one")), call()));
    assertThat(await(points.get(key("a"), call())))
        .isEqualTo(Row.of(key("a"), version, bytes("one"), null));
    await(points.write(key("a"), Mutation.delete(), call()));
    assertThat(await(points.get(key("a"), call()))).isNull();
    assertThat(await(points.get(key("never"), call()))).isNull();
  }

  @Test
  void write_lowerVersion_staysWithoutEffect() {
    StoreCollection points = open("versioned", Layout.point(), Claim.importing(COPY));
    StoreKey key = key("a");
    assertThat(await(points.write(key, Mutation.put(bytes("new")).withVersion(20L), call())))
        .isEqualTo(20);
    await(points.write(key, Mutation.put(bytes("old")).withVersion(10L), call()));
    assertThat(await(points.get(key, call()))).isEqualTo(Row.of(key, 20, bytes("new"), null));
    await(points.write(key, Mutation.delete().withVersion(20L), call()));
    await(points.write(key, Mutation.put(bytes("zzz")).withVersion(20L), call()));
    assertThat(await(points.get(key, call()))).isNull();
  }

  @Test
  void write_expiry_isKeptToTheMillisecondAndFiltered() {
    StoreCollection points = open("expiring", Layout.point(), Claim.ACTIVE);
    Instant later = Instant.now().plusSeconds(3_600).truncatedTo(ChronoUnit.MILLIS);
    long version =
        await(points.write(key("later"), Mutation.put(bytes("v")).withExpiry(later), call()));
    assertThat(await(points.get(key("later"), call())))
        .isEqualTo(Row.of(key("later"), version, bytes("v"), later));
    Instant justNow = Instant.now().minusMillis(50);
    await(points.write(key("gone"), Mutation.put(bytes("v")).withExpiry(justNow), call()));
    assertThat(await(points.get(key("gone"), call()))).isNull();
    Instant longAgo = Instant.now().minusSeconds(5);
    await(
        points.write(
            key("old"), Mutation.put(bytes("v")).withExpiry(longAgo).withVersion(1L), call()));
    assertThat(await(points.get(key("old"), call()))).isNull();
  }

  @Test
  void write_claimNotActive_refusesToDrawVersions() {
    StoreCollection points = open("imported", Layout.point(), Claim.importing(COPY));
    assertThatThrownBy(() -> await(points.write(key("a"), Mutation.put(bytes("v")), call())))
        .isInstanceOf(KvException.Permanent.class);
    assertThatThrownBy(() -> open("imported", Layout.point(), Claim.ACTIVE))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("being imported");
    long floor = VersionClock.ofProcess().nowMicros() + 200_000;
    CollectionRecord active = await(store.activate("imported", COPY, floor));
    assertThat(active.floor()).isEqualTo(floor);
    assertThat(await(store.activate("imported", COPY, floor))).isEqualTo(active);
    StoreCollection live = open("imported", Layout.point(), Claim.ACTIVE);
    assertThat(await(live.write(key("a"), Mutation.put(bytes("v")), call()))).isGreaterThan(floor);
  }

  @Test
  void open_otherLayout_isRefused() {
    open("shaped", Layout.point(), Claim.ACTIVE);
    assertThatThrownBy(() -> open("shaped", RANGE, Claim.ACTIVE))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("layout");
  }

  @Test
  void drop_openCollection_failsItsWriters() {
    StoreCollection points = open("dropped", Layout.point(), Claim.ACTIVE);
    await(points.write(key("a"), Mutation.put(bytes("v")), call()));
    await(store.drop("dropped", 1));
    await(store.drop("dropped", 1));
    assertThatThrownBy(() -> await(points.write(key("a"), Mutation.put(bytes("v")), call())))
        .isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void range_pages_followTheRange() {
    StoreCollection ranges = open("ranges", RANGE, Claim.ACTIVE);
    Bytes main = bytes("m");
    for (String clustering : List.of("10", "20", "30", "40", "50")) {
      await(
          ranges.write(
              StoreKey.of(main, bytes(clustering)), Mutation.put(bytes("v" + clustering)), call()));
    }
    await(
        ranges.write(
            StoreKey.of(main, bytes("15")),
            Mutation.put(bytes("gone")).withExpiry(Instant.now().minusMillis(20)),
            call()));
    Range some = Range.of(bytes("20"), bytes("40"));
    assertThat(page(ranges, some, PageLimit.entries(10))).containsExactly("20", "30", "END");
    assertThat(page(ranges, some.backward(), PageLimit.entries(10)))
        .containsExactly("30", "20", "END");
    assertThat(page(ranges, Range.all(), PageLimit.entries(2)))
        .containsExactly("10", "20", "ENTRY_LIMIT");
    assertThat(page(ranges, Range.all().backward(), PageLimit.entries(2)))
        .containsExactly("50", "40", "ENTRY_LIMIT");
    assertThat(page(ranges, Range.after(bytes("20")), PageLimit.entries(10)))
        .containsExactly("30", "40", "50", "END");
    assertThat(page(ranges, Range.all(), PageLimit.of(10, 11)))
        .containsExactly("10", "20", "BYTE_LIMIT");
    assertThat(
            page(ranges, Range.all().withTo(bytes("30"), true).backward(), PageLimit.entries(10)))
        .containsExactly("30", "20", "10", "END");
    assertThat(page(ranges, Range.of(bytes("40"), bytes("20")), PageLimit.entries(1)))
        .containsExactly("END");
  }

  private static List<String> page(StoreCollection ranges, Range range, PageLimit limit) {
    RowPage page = await(ranges.range(bytes("m"), Bytes.empty(), range, limit, call()));
    List<String> shown = new ArrayList<>();
    page.rows().forEach(row -> shown.add(row.key().clustering().toUtf8()));
    if (page.stop() != Stop.END) {
      assertThat(page.passed()).isEqualTo(bytes(shown.get(shown.size() - 1)));
    }
    shown.add(page.stop().name());
    return shown;
  }

  @Test
  void scan_rangeCollection_givesEveryRowOnceWhereverPagesEnd() {
    StoreCollection ranges = open("scanned", RANGE, Claim.ACTIVE);
    Map<StoreKey, Bytes> expected = new TreeMap<>();
    for (int main = 0; main < 12; main++) {
      for (int i = 0; i < (main == 3 ? 40 : 3); i++) {
        StoreKey key =
            StoreKey.of(bytes("main" + main), bytes(main % 2 == 0 ? "" : "s"), bytes("c" + i));
        expected.put(key, bytes("value" + main + "." + i));
        await(ranges.write(key, Mutation.put(expected.get(key)), call()));
      }
    }
    for (PageLimit limit : List.of(PageLimit.entries(7), PageLimit.of(1_000, 30))) {
      Map<StoreKey, Bytes> found = new TreeMap<>();
      for (ScanTask task : await(ranges.scanTasks(5, call()))) {
        Bytes position = null;
        do {
          ScanPage page = await(ranges.scan(task, position, limit, call()));
          for (Row row : page.rows()) {
            assertThat(task.contains(ranges.token(row.key()))).isTrue();
            assertThat(found.put(row.key(), row.value())).isNull();
          }
          position = page.next();
        } while (position != null);
      }
      assertThat(found).isEqualTo(expected);
    }
  }

  @Test
  void write_largeValue_isChunkedAndReadWholeEverywhere() {
    ConnectionString small = TestStores.string(KEYSPACE, "&maxCellBytes=1024&maxValueBytes=20000");
    try (Store chunking = TestStores.open(small, VersionClock.ofProcess())) {
      StoreCollection ranges = await(chunking.open("large", RANGE, Claim.ACTIVE));
      Map<StoreKey, Bytes> expected = new TreeMap<>();
      for (int size : List.of(0, 1_015, 1_016, 1_024, 2_048, 2_049, 20_000)) {
        StoreKey key = StoreKey.of(bytes("m"), bytes("c" + size));
        byte[] value = new byte[size];
        Arrays.fill(value, (byte) size);
        expected.put(key, Bytes.of(value));
        await(ranges.write(key, Mutation.put(expected.get(key)), call()));
        assertThat(await(ranges.get(key, call())).value()).isEqualTo(expected.get(key));
      }
      RowPage page =
          await(
              ranges.range(bytes("m"), Bytes.empty(), Range.all(), PageLimit.entries(100), call()));
      assertThat(page.rows()).extracting(Row::value).containsExactlyElementsOf(expected.values());
      RowPage cut =
          await(
              ranges.range(
                  bytes("m"), Bytes.empty(), Range.all(), PageLimit.of(100, 20_000), call()));
      assertThat(cut.stop()).isEqualTo(Stop.BYTE_LIMIT);
      StoreKey last = StoreKey.of(bytes("m"), bytes("c20000"));
      await(ranges.write(last, Mutation.put(bytes("small again")), call()));
      assertThat(await(ranges.get(last, call())).value()).isEqualTo(bytes("small again"));
      assertThatThrownBy(
              () -> await(ranges.write(last, Mutation.put(Bytes.of(new byte[20_001])), call())))
          .isInstanceOf(KvException.Permanent.class);
    }
  }

  @Test
  void write_largeValueAgainInChunksOfAnotherSize_isReadWhole() {
    StoreKey key = StoreKey.of(bytes("m"), bytes("cut"));
    byte[] value = new byte[9_000];
    Arrays.fill(value, (byte) 1);
    Mutation put = Mutation.put(Bytes.of(value)).withVersion(1_000L);
    for (int maxCellBytes : List.of(1_024, 4_096, 2_048)) {
      ConnectionString cutting = TestStores.string(KEYSPACE, "&maxCellBytes=" + maxCellBytes);
      try (Store chunking = TestStores.open(cutting, VersionClock.ofProcess())) {
        StoreCollection ranges = await(chunking.open("large", RANGE, Claim.ACTIVE));
        await(ranges.write(key, put, call()));
        assertThat(await(ranges.get(key, call())).value()).isEqualTo(put.value());
      }
    }
  }

  @Test
  void metadata_compareAndSet_changesOnlyWhatIsExpected() {
    var metadata = store.metadata();
    assertThat(await(metadata.get("box/a"))).isNull();
    assertThat(await(metadata.compareAndSet("box/a", bytes("x"), bytes("y")))).isFalse();
    assertThat(await(metadata.compareAndSet("box/a", null, bytes("1")))).isTrue();
    assertThat(await(metadata.compareAndSet("box/a", null, bytes("2")))).isFalse();
    assertThat(await(metadata.compareAndSet("box/a", bytes("1"), bytes("2")))).isTrue();
    assertThat(await(metadata.get("box/a"))).isEqualTo(bytes("2"));
    assertThat(await(metadata.compareAndSet("box/b", null, bytes("b")))).isTrue();
    assertThat(await(metadata.compareAndSet("box/ba", null, bytes("ba")))).isTrue();
    assertThat(await(metadata.compareAndSet("box/a", bytes("2"), null))).isTrue();
    assertThat(await(metadata.get("box/a"))).isNull();
    assertThat(await(metadata.list("box/", "", 1))).containsOnlyKeys("box/b");
    assertThat(await(metadata.list("box/", "box/b", 10))).containsOnlyKeys("box/ba");
    assertThat(await(metadata.list("box/b", "", 10))).containsOnlyKeys("box/b", "box/ba");
  }

  @Test
  void write_clockFarFromTheServers_isRefused() {
    VersionClock wrong = new VersionClock(Clock.offset(Clock.systemUTC(), Duration.ofSeconds(5)));
    try (Store skewed = TestStores.open(TestStores.string(KEYSPACE, ""), wrong)) {
      StoreCollection points = await(skewed.open("skewed", Layout.point(), Claim.ACTIVE));
      assertThatThrownBy(() -> await(points.write(key("a"), Mutation.put(bytes("v")), call())))
          .isInstanceOf(KvException.Transient.class)
          .hasMessageContaining(" ms behind this process's, at most 250 ms are allowed");
    }
  }

  @Test
  void close_openStore_refusesWhatComesLater() {
    Store other = TestStores.open(KEYSPACE);
    StoreCollection points = await(other.open("closing", Layout.point(), Claim.ACTIVE));
    other.close();
    other.close();
    assertThatThrownBy(() -> await(points.get(key("a"), call())))
        .isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void writes_onePartitionAtOnce_endAsOneByOne() {
    StoreCollection together = open("together", RANGE, Claim.ACTIVE);
    StoreCollection alone = open("alone", RANGE, Claim.ACTIVE);
    long seed = System.nanoTime();
    Random random = new Random(seed);
    long start = VersionClock.ofProcess().nowMicros();
    Map<StoreKey, List<Mutation>> all = new HashMap<>();
    for (int i = 0; i < 600; i++) {
      boolean expires = random.nextBoolean();
      Instant expiry = expires ? Instant.now().plusSeconds(600) : null;
      long version = start + (expires ? 20 + i : random.nextInt(20));
      Mutation mutation =
          !expires && random.nextInt(3) == 0
              ? Mutation.delete().withVersion(version)
              : Mutation.put(bytes("value" + random.nextInt(50)))
                  .withExpiry(expiry)
                  .withVersion(version);
      StoreKey key = StoreKey.of(bytes("main"), bytes("entry" + random.nextInt(12)));
      all.computeIfAbsent(key, first -> new ArrayList<>()).add(mutation);
    }
    int before = RecordedStatements.batches();
    List<CompletableFuture<Long>> sent = new ArrayList<>();
    all.forEach(
        (key, mutations) ->
            mutations.forEach(
                one -> sent.add(together.write(key, one, call()).toCompletableFuture())));
    sent.forEach(TestStores::await);
    assertThat(RecordedStatements.batches()).isGreaterThan(before);
    all.forEach((key, mutations) -> mutations.forEach(one -> await(alone.write(key, one, call()))));
    PageLimit limit = PageLimit.of(100, PageLimit.MAX_BYTES);
    assertThat(await(together.range(bytes("main"), Bytes.empty(), Range.all(), limit, call())))
        .as("seed %d", seed)
        .isEqualTo(await(alone.range(bytes("main"), Bytes.empty(), Range.all(), limit, call())));
  }

  @Test
  void write_wholeBatchOfOnePartition_isWhatItWouldBeRowByRow() {
    CompletableFuture<Void> handedOver = new CompletableFuture<>();
    InterceptedSession.Hook hook =
        (statement, real) ->
            InterceptedSession.query(statement).contains(".whole_i1 USING TIMESTAMP")
                ? handedOver.thenCompose(all -> real.apply(statement))
                : real.apply(statement);
    int before = RecordedStatements.wholeBatches();
    Instant expiry = Instant.now().plusSeconds(600).truncatedTo(ChronoUnit.MILLIS);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < PartitionWrites.UNBATCHED_REQUESTS + PartitionWrites.MAX_ROWS; i++) {
      StoreKey key = StoreKey.of(bytes("main"), bytes("entry" + (100 + i)));
      rows.add(Row.of(key, 1_000 + i, bytes("value" + i), i % 2 == 0 ? null : expiry));
    }
    try (Store holding = TestStores.open(KEYSPACE, hook)) {
      StoreCollection ranges = await(holding.open("whole", RANGE, Claim.ACTIVE));
      List<CompletionStage<Long>> sent = new ArrayList<>();
      for (Row row : rows) {
        Mutation put = Mutation.of(row.value()).withExpiry(row.expiry()).withVersion(row.version());
        sent.add(ranges.write(row.key(), put, call()));
      }
      handedOver.complete(null);
      sent.forEach(TestStores::await);
      PageLimit limit = PageLimit.entries(100);
      assertThat(
              await(ranges.range(bytes("main"), Bytes.empty(), Range.all(), limit, call())).rows())
          .isEqualTo(rows);
    }
    assertThat(RecordedStatements.wholeBatches()).isEqualTo(before + 1);
  }
}
