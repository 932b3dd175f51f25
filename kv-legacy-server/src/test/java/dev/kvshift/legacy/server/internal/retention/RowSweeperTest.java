package dev.kvshift.legacy.server.internal.retention;

import static dev.kvshift.legacy.server.Stores.await;
import static dev.kvshift.legacy.server.Stores.unhurried;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.legacy.server.ManualClock;
import dev.kvshift.legacy.server.Stores;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.OpenFiles;
import dev.kvshift.legacy.server.internal.storage.Retention;
import dev.kvshift.legacy.wire.MainKeyRows;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.PartitionRows;
import dev.kvshift.legacy.wire.RowCount;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of sweeps: what they count, what they purge, and that they resume. */
class RowSweeperTest {
  private static final int PARTITIONS = 8;

  @TempDir Path directory;
  private final ManualClock clock = new ManualClock();
  private Engine engine;
  private Table table;

  @BeforeEach
  void open() {
    engine =
        Engine.open(
            EngineOptions.of(directory, PARTITIONS)
                .withSync(false)
                .with(clock)
                .with(new Retention(Duration.ofDays(10), Duration.ofDays(2), Long.MAX_VALUE)));
    table = await(engine.collection("files"));
  }

  @AfterEach
  void close() {
    engine.close();
  }

  private void reopen() {
    close();
    open();
  }

  private CompletableFuture<Long> write(String main, String clustering, Mutation mutation) {
    StoreKey key = StoreKey.of(Bytes.utf8(main), Bytes.utf8(clustering));
    return engine.write(table, key, mutation, unhurried());
  }

  private void fill(String main, int rows, Mutation mutation) {
    List<CompletableFuture<Long>> writes = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      writes.add(write(main, "c" + i, mutation));
    }
    writes.forEach(Stores::await);
  }

  private static Mutation value(int bytes) {
    return Mutation.put(Bytes.of(new byte[bytes]));
  }

  @Test
  void count_randomRows_isWhatWasWritten() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Map<String, Long> entries = new HashMap<>();
    Map<String, Long> bytes = new HashMap<>();
    long[] keys = new long[PARTITIONS];
    long[] dead = new long[PARTITIONS];
    Keys placing = new Keys(PARTITIONS);
    List<CompletableFuture<Long>> writes = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      String main = "main" + i;
      int partition = placing.partition(Bytes.utf8(main));
      int rows = random.nextInt(120);
      for (int row = 0; row < rows; row++) {
        int size = random.nextInt(300);
        if (random.nextInt(10) == 0) {
          boolean expired = random.nextBoolean();
          Instant past = Instant.ofEpochMilli(clock.millis() - 1_000);
          Mutation gone = Mutation.put(Bytes.of(new byte[size])).withExpiry(past);
          writes.add(write(main, "c" + row, expired ? gone : Mutation.delete()));
          dead[partition]++;
        } else {
          Instant later = Instant.ofEpochMilli(clock.millis() + 3_600_000);
          Instant expiry = random.nextBoolean() ? later : null;
          writes.add(
              write(main, "c" + row, Mutation.put(Bytes.of(new byte[size])).withExpiry(expiry)));
          entries.merge(main, 1L, Long::sum);
          bytes.merge(main, (long) main.length() + ("c" + row).length() + size, Long::sum);
          keys[partition]++;
        }
      }
    }
    writes.forEach(Stores::await);

    RowCount count = await(engine.maintenance().count(table));

    assertThat(count.getPartitionsList())
        .as("seed %s", seed)
        .extracting(PartitionRows::getKeys)
        .containsExactly(boxed(keys));
    assertThat(count.getPartitionsList())
        .extracting(PartitionRows::getDead)
        .containsExactly(boxed(dead));
    assertThat(count.getPartitionsList().stream().mapToLong(PartitionRows::getBytes).sum())
        .isEqualTo(bytes.values().stream().mapToLong(Long::longValue).sum());
    assertThat(count.getMostEntriesList())
        .as("seed %s", seed)
        .extracting(MainKeyRows::getEntries)
        .containsExactlyElementsOf(largest(entries));
    assertThat(count.getMostBytesList())
        .extracting(MainKeyRows::getBytes)
        .containsExactlyElementsOf(largest(bytes));
    for (MainKeyRows rows : count.getMostBytesList()) {
      String main = Messages.bytes(rows.getMain()).toUtf8();
      assertThat(rows.getBytes()).isEqualTo(bytes.get(main));
      assertThat(rows.getEntries()).isEqualTo(entries.get(main));
      assertThat(rows.getPartition()).isEqualTo(placing.partition(Bytes.utf8(main)));
    }
    reopen();
    assertThat(engine.rowSweeper().counted(table)).isEqualTo(count);
  }

  private static Long[] boxed(long[] numbers) {
    return Arrays.stream(numbers).boxed().toArray(Long[]::new);
  }

  private static List<Long> largest(Map<String, Long> sums) {
    return sums.values().stream().sorted(Comparator.reverseOrder()).limit(Sweep.LARGEST).toList();
  }

  @Test
  void count_afterDeletes_countsWhatIsLeft() {
    fill("m", 10, value(1));
    assertThat(await(engine.maintenance().count(table)).getMostEntries(0).getEntries())
        .isEqualTo(10);
    fill("m", 4, Mutation.delete());

    RowCount count = await(engine.maintenance().count(table));

    assertThat(count.getMostEntriesList()).extracting(MainKeyRows::getEntries).containsExactly(6L);
    assertThat(count.getPartitionsList().stream().mapToLong(PartitionRows::getDead).sum())
        .isEqualTo(4);
  }

  @Test
  void survey_stoppedHalfway_goesOnAfterARestart() {
    fill("one", 3 * RowSweeper.PAGE_ROWS, value(1));
    fill("two", RowSweeper.PAGE_ROWS / 2, value(1));
    engine.rowSweeper().prepare(table, true);
    assertThat(engine.rowSweeper().advance(table, 2)).isTrue();
    long begun = clock.millis();
    reopen();
    clock.advance(Duration.ofHours(1));

    assertThat(engine.rowSweeper().advance(table, 1)).isTrue();
    assertThat(engine.rowSweeper().counted(table)).isNull();
    assertThat(engine.rowSweeper().advance(table, 1)).isFalse();

    RowCount count = engine.rowSweeper().counted(table);
    assertThat(count.getBegunMillis()).isLessThanOrEqualTo(begun);
    assertThat(count.getMostEntriesList())
        .extracting(MainKeyRows::getEntries)
        .containsExactly(3L * RowSweeper.PAGE_ROWS, RowSweeper.PAGE_ROWS / 2L);
  }

  @Test
  void purge_stoppedHalfway_goesOnAfterARestart() {
    fill("m", 3 * RowSweeper.PAGE_ROWS, Mutation.delete());
    long version = await(write("m", "c0", Mutation.delete()));
    clock.advance(Duration.ofDays(11));
    engine.rowSweeper().prepare(table, false);
    assertThat(engine.rowSweeper().advance(table, 2)).isTrue();
    assertThat(rows()).isEqualTo(RowSweeper.PAGE_ROWS);
    reopen();
    assertThat(rows()).isEqualTo(RowSweeper.PAGE_ROWS);
    assertThatThrownBy(() -> await(write("m", "c0", value(1).withVersion(version))))
        .isInstanceOf(KvException.Permanent.class);

    engine.rowSweeper().prepare(table, false);
    assertThat(engine.rowSweeper().advance(table, 2)).isFalse();

    assertThat(rows()).isZero();
  }

  @Test
  void prepare_clockOrdered_remembersDeletesUntilTheWayBack() {
    long deleted = await(write("m", "c0", Mutation.delete()));
    Gate.State now = engine.gates().state(table);
    await(engine.gates().compareAndSet(table, now, now.withWayBack(true)));
    await(engine.gates().fence(table, "try", FenceOptions.lasting(Duration.ofSeconds(60))));
    Gate.State moved = await(engine.gates().move(table, "try"));
    assertThat(moved.isClockOrdered()).isTrue();
    clock.advance(Duration.ofDays(11));
    engine.rowSweeper().prepare(table, false);
    assertThat(table.publishedHorizon()).isLessThan(deleted);
    reopen();
    assertThat(engine.gates().state(table).isClockOrdered()).isTrue();

    long epoch = moved.epoch() + 1;
    Gate.State back =
        Gate.State.first()
            .withEpoch(epoch)
            .withAcceptMin(epoch)
            .withIncarnation(moved.incarnation() + 1);
    assertThat(await(engine.gates().compareAndSet(table, moved, back))).isTrue();
    engine.rowSweeper().prepare(table, false);
    assertThat(table.publishedHorizon()).isGreaterThan(deleted);
  }

  /** Otherwise a read would pass all of them in one go, however many they are. */
  @Test
  void purge_ofManyRowsInARow_leavesNoDeletionsInTheStorage() {
    int rows = 8 * RowSweeper.PAGE_ROWS;
    fill("m", rows, value(1));
    await(engine.maintenance().count(table));
    fill("m", rows, Mutation.delete());
    clock.advance(Duration.ofDays(11));

    await(engine.maintenance().count(table));

    assertThat(rows()).isZero();
    Await.until(
        "the deletions are compacted away",
        () -> engine.database().access(OpenFiles::deletions) == 0);
  }

  private int rows() {
    return Messages.scanPage(
            engine
                .reads()
                .scan(
                    table,
                    ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE),
                    null,
                    PageLimit.entries(PageLimit.MAX_ENTRIES)))
        .rows()
        .size();
  }

  @Test
  void purge_rowWrittenAnewSinceItWasSeen_stays() {
    StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("c3"));
    byte[] physical = new Keys(PARTITIONS).row(table.id(), key);
    fill("m", 10, Mutation.delete());
    clock.advance(Duration.ofDays(11));
    engine.rowSweeper().prepare(table, false);
    long horizon = table.publishedHorizon();

    engine
        .pipeline()
        .change(
            table,
            commit -> {
              commit.put(table, key, commit.versions().draw(), Bytes.utf8("v"), null);
              commit.purge(table, physical, horizon, clock.instant());
            });

    assertThat(engine.reads().get(table, key, 0).value()).isEqualTo(Bytes.utf8("v"));
    engine.maintenance().run();
    assertThat(rows()).isEqualTo(1);
  }

  @Test
  void count_errorInTheSweep_failsAndTheNextOneWorks() {
    fill("m", 10, value(1));
    Error bug = new NoClassDefFoundError("a class that the sweep needs");
    failInTheSweep(bug);

    assertThatThrownBy(() -> await(engine.maintenance().count(table))).hasRootCause(bug);
    assertThat(await(engine.maintenance().count(table)).getMostEntries(0).getEntries())
        .isEqualTo(10);
  }

  private void failInTheSweep(Error bug) {
    clock.hourLaterForNextReadingOf(
        "legacy-maintenance",
        () -> {
          if (StackWalker.getInstance()
              .walk(frames -> frames.anyMatch(frame -> frame.getMethodName().equals("advance")))) {
            throw bug;
          }
          failInTheSweep(bug);
        });
  }

  @Test
  void count_droppedCollection_isPermanent() {
    await(engine.drop("files", Engine.INCARNATION));

    assertThatThrownBy(() -> await(engine.maintenance().count(table)))
        .isInstanceOf(KvException.Permanent.class);
  }
}
