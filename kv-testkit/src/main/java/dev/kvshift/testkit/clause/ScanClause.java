package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Scans of a whole collection in tasks that can be resumed from any position. */
@Needs(Capability.SCAN)
public abstract class ScanClause extends Clause {
  private static final int MAX_PAGES = 100_000;

  @ParameterizedTest
  @CsvSource({"1,1", "1,7", "1,10000", "4,1", "4,100", "16,7", "16,10000", "100,50"})
  void scan_tasksAndPages_giveEveryRowOnce(int tasks, int limit) {
    StoreCollection collection = fresh(pointLayout());
    Map<StoreKey, Row> rows = filled(collection, 120);
    assertThat(scanAll(collection, tasks, PageLimit.entries(limit))).isEqualTo(rows);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 8})
  @Needs(Capability.RANGES)
  void scan_rangeCollection_givesEveryRowOnce(int tasks) {
    StoreCollection collection = fresh(rangeLayout());
    Map<StoreKey, Row> rows = new HashMap<>();
    for (int m = 0; m < 6; m++) {
      Bytes main = freshMain();
      for (int i = 0; i < 25; i++) {
        put(collection, StoreKey.of(main, Bytes.of((byte) (i * 10))), i, rows);
      }
    }
    assertThat(scanAll(collection, tasks, PageLimit.entries(9))).isEqualTo(rows);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 500, 100_000})
  void scan_pagesByBytes_giveEveryRowOnce(int bytes) {
    StoreCollection collection = fresh(pointLayout());
    Map<StoreKey, Row> rows = filled(collection, 60);
    assertThat(scanAll(collection, 3, PageLimit.of(1_000, bytes))).isEqualTo(rows);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 16, 64})
  void scanTasks_coverAllTokensOnce(int atLeast) {
    List<ScanTask> tasks = new ArrayList<>(join(fresh(pointLayout()).scanTasks(atLeast, call())));
    tasks.sort(Comparator.comparingLong(ScanTask::after));
    assertThat(tasks.get(0).after()).isEqualTo(Long.MIN_VALUE);
    assertThat(tasks.get(tasks.size() - 1).upTo()).isEqualTo(Long.MAX_VALUE);
    for (int i = 1; i < tasks.size(); i++) {
      assertThat(tasks.get(i).after()).isEqualTo(tasks.get(i - 1).upTo());
    }
    StoreCollection collection = points();
    for (int i = 0; i < 200; i++) {
      long token = collection.token(freshKey());
      assertThat(tasks).filteredOn(task -> task.contains(token)).hasSize(1);
    }
  }

  @Test
  void scan_everyRow_liesInItsTask() {
    StoreCollection collection = fresh(pointLayout());
    filled(collection, 150);
    for (ScanTask task : join(collection.scanTasks(8, call()))) {
      for (Row row : scan(collection, task, PageLimit.entries(20))) {
        assertThat(task.contains(collection.token(row.key()))).isTrue();
      }
    }
  }

  @Test
  @Needs({Capability.SCAN, Capability.RANGES})
  void token_neighboursInAMainKey_isTheSame_andStaysAcrossConnections() {
    StoreCollection collection = ranges();
    Bytes main = freshMain();
    long token = collection.token(StoreKey.of(main, hex("1000000010")));
    assertThat(collection.token(StoreKey.of(main, hex("1000000020")))).isEqualTo(token);
    try (Store other = tested().fixture.open()) {
      StoreCollection there = join(other.open(ranges().name(), rangeLayout(), Claim.ACTIVE));
      assertThat(there.token(StoreKey.of(main, hex("1000000030")))).isEqualTo(token);
    }
  }

  @Test
  void scan_emptyCollection_givesNothing() {
    assertThat(scanAll(fresh(pointLayout()), 4, PageLimit.entries(10))).isEmpty();
  }

  @Test
  void scan_positionOfOneConnection_goesOnInAnother() {
    StoreCollection collection = fresh(pointLayout());
    Map<StoreKey, Row> rows = filled(collection, 50);
    ScanTask all = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
    Map<StoreKey, Row> found = new HashMap<>();
    Bytes position = null;
    int pages = 0;
    do {
      try (Store other = tested().fixture.open()) {
        StoreCollection there = join(other.open(collection.name(), pointLayout(), Claim.ACTIVE));
        ScanPage page = join(there.scan(all, position, PageLimit.entries(10), call()));
        page.rows().forEach(row -> assertThat(found.put(row.key(), row)).isNull());
        position = page.next() == null ? null : Bytes.fromHex(page.next().toHex());
      }
      pages++;
    } while (position != null && pages < MAX_PAGES);
    assertThat(found).isEqualTo(rows);
  }

  @Test
  void scan_samePositionAgain_givesTheSamePage() {
    StoreCollection collection = fresh(pointLayout());
    filled(collection, 30);
    ScanTask all = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
    ScanPage first = join(collection.scan(all, null, PageLimit.entries(10), call()));
    ScanPage second = join(collection.scan(all, first.next(), PageLimit.entries(10), call()));
    assertThat(join(collection.scan(all, first.next(), PageLimit.entries(10), call())))
        .isEqualTo(second);
  }

  @Test
  void scan_pages_keepTheirLimit() {
    StoreCollection collection = fresh(pointLayout());
    filled(collection, 50);
    ScanTask all = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
    Bytes position = null;
    do {
      ScanPage page = join(collection.scan(all, position, PageLimit.entries(7), call()));
      assertThat(page.rows()).hasSizeLessThanOrEqualTo(7);
      position = page.next();
    } while (position != null);
  }

  @Test
  void scan_pagesByBytes_keepTheirLimitUnlessOneRowIsLarger() {
    StoreCollection collection = fresh(pointLayout());
    for (int i = 0; i < 30; i++) {
      write(collection, freshKey(), Mutation.put(Bytes.of(new byte[100])));
    }
    ScanTask all = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
    for (int bytes : List.of(50, 1_000)) {
      Bytes position = null;
      do {
        ScanPage page = join(collection.scan(all, position, PageLimit.of(1_000, bytes), call()));
        assertThat(page.rows()).hasSizeLessThanOrEqualTo(Math.max(1, bytes / 100));
        position = page.next();
      } while (position != null);
    }
  }

  @Test
  void scan_deadlinePassed_isTransient() {
    StoreCollection collection = points();
    ScanTask all = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
    Await.failure(
        KvException.Transient.class,
        () -> collection.scan(all, null, PageLimit.entries(1), Call.within(Duration.ofMillis(-1))));
  }

  @Test
  void scan_closedStore_isPermanent() {
    Store other = tested().fixture.open();
    StoreCollection there = join(other.open(points().name(), pointLayout(), Claim.ACTIVE));
    other.close();
    ScanTask all = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
    assertPermanent(() -> there.scan(all, null, PageLimit.entries(1), call()));
  }

  @Test
  void scan_deleted_areTombstonesOrLeftOut() {
    StoreCollection collection = fresh(pointLayout());
    Map<StoreKey, Row> rows = filled(collection, 40);
    int i = 0;
    for (StoreKey key : List.copyOf(rows.keySet())) {
      if (i++ % 2 == 0) {
        long version = write(collection, key, Mutation.delete());
        rows.put(key, Row.tombstone(key, version));
      }
    }
    if (!has(Capability.TOMBSTONE_READS)) {
      rows.values().removeIf(Row::isTombstone);
    }
    assertThat(scanAll(collection, 4, PageLimit.entries(5))).isEqualTo(rows);
  }

  @Test
  @Needs({Capability.SCAN, Capability.EXPIRY})
  void scan_expiringRows_carryTheirExpiry_andDieWithIt() {
    StoreCollection collection = fresh(pointLayout());
    Map<StoreKey, Row> rows = filled(collection, 10);
    Instant later = expiryIn(Duration.ofHours(1)).plusMillis(7);
    StoreKey longer = freshKey();
    long version = write(collection, longer, expiring(later));
    rows.put(longer, Row.of(longer, version, hex("01"), later));
    Instant soon = expiryIn(shortLife());
    StoreKey shorter = freshKey();
    version = write(collection, shorter, expiring(soon));
    rows.put(shorter, Row.of(shorter, version, hex("01"), soon));
    assertThat(scanAll(collection, 2, PageLimit.entries(100))).isEqualTo(rows);
    awaitPast(soon);
    if (has(Capability.TOMBSTONE_READS)) {
      rows.put(shorter, Row.tombstone(shorter, version));
    } else {
      rows.remove(shorter);
    }
    assertThat(scanAll(collection, 2, PageLimit.entries(100))).isEqualTo(rows);
  }

  @Test
  void scan_whileOthersWrite_givesEveryStandingRowOnce() {
    StoreCollection collection = fresh(pointLayout());
    Map<StoreKey, Row> rows = filled(collection, 100);
    ScanTask all = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
    Map<StoreKey, Row> found = new HashMap<>();
    Bytes position = null;
    do {
      ScanPage page = join(collection.scan(all, position, PageLimit.entries(10), call()));
      for (Row row : page.rows()) {
        assertThat(found.put(row.key(), row)).isNull();
      }
      for (int i = 0; i < 5; i++) {
        write(collection, freshKey(), Mutation.put(hex("aa")));
      }
      position = page.next();
    } while (position != null && found.size() < MAX_PAGES);
    assertThat(found).containsAllEntriesOf(rows);
  }

  @Test
  @Needs({Capability.SCAN, Capability.VERSIONED_WRITES})
  void scan_ofACopy_givesWhatTheOriginalGives() {
    StoreCollection source = fresh(pointLayout());
    filled(source, 60);
    StoreCollection copy = fresh(pointLayout());
    List<Row> rows = new ArrayList<>(scanAll(source, 4, PageLimit.entries(13)).values());
    Collections.shuffle(rows, new Random(3));
    for (Row row : rows) {
      write(copy, row.key(), row.toMutation());
      write(copy, row.key(), row.toMutation());
    }
    assertThat(scanAll(copy, 3, PageLimit.entries(11)))
        .isEqualTo(scanAll(source, 5, PageLimit.entries(17)));
  }

  private Map<StoreKey, Row> filled(StoreCollection collection, int count) {
    Map<StoreKey, Row> rows = new HashMap<>();
    for (int i = 0; i < count; i++) {
      put(collection, freshKey(), i, rows);
    }
    return rows;
  }

  private static void put(
      StoreCollection collection, StoreKey key, int number, Map<StoreKey, Row> rows) {
    Bytes value = Bytes.of((byte) number, (byte) 1, (byte) 2);
    long version = write(collection, key, Mutation.put(value));
    rows.put(key, Row.of(key, version, value, null));
  }

  private static Map<StoreKey, Row> scanAll(
      StoreCollection collection, int tasks, PageLimit limit) {
    Map<StoreKey, Row> rows = new HashMap<>();
    for (ScanTask task : join(collection.scanTasks(tasks, call()))) {
      for (Row row : scan(collection, task, limit)) {
        assertThat(rows.put(row.key(), row)).as("returned twice").isNull();
      }
    }
    return rows;
  }

  private static List<Row> scan(StoreCollection collection, ScanTask task, PageLimit limit) {
    List<Row> rows = new ArrayList<>();
    Bytes position = null;
    for (int pages = 0; pages < MAX_PAGES; pages++) {
      ScanPage page = join(collection.scan(task, position, limit, call()));
      rows.addAll(page.rows());
      position = page.next();
      if (position == null) {
        return rows;
      }
    }
    throw new AssertionError("the scan does not end");
  }
}
