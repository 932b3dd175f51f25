package dev.kvshift.legacy.server.internal.read;

import static dev.kvshift.legacy.server.Stores.await;
import static dev.kvshift.legacy.server.Stores.unhurried;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage;
import dev.kvshift.legacy.server.Stores;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.Partitions;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreKey;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of pages and changes with rows of all sizes and kinds. */
class ReadsTest {
  private static final int ROWS = 300;
  private final Instant far = Instant.now().plusSeconds(9_000).truncatedTo(ChronoUnit.MILLIS);
  private final Instant past = Instant.now().minusSeconds(9).truncatedTo(ChronoUnit.MILLIS);

  @TempDir Path directory;
  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private Engine engine;
  private Table table;

  @BeforeEach
  void open() {
    engine = Engine.open(EngineOptions.of(directory, 3));
    table = await(engine.collection("files"));
  }

  @AfterEach
  void close() {
    engine.close();
  }

  private CompletableFuture<Long> write(StoreKey key, Mutation mutation) {
    return engine.write(table, key, mutation, unhurried());
  }

  /** Writes rows of unlike sizes one after another, and returns what was written. */
  private List<Row> writeRows() {
    List<CompletableFuture<Long>> versions = new ArrayList<>();
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      Bytes main = bytes(random.nextInt(10) == 0 ? 700 : 3).concat(Bytes.utf8("k" + i));
      StoreKey key = StoreKey.of(main, bytes(random.nextInt(4)));
      Bytes value = bytes(random.nextInt(20) == 0 ? 20_000 : random.nextInt(50));
      Instant expiry = List.of(far, past).get(random.nextInt(2));
      Mutation mutation =
          switch (random.nextInt(3)) {
            case 0 -> Mutation.delete();
            case 1 -> Mutation.of(value).withExpiry(expiry);
            default -> Mutation.put(value);
          };
      versions.add(write(key, mutation));
      rows.add(Row.of(key, 0, mutation.value(), mutation.expiry()));
    }
    for (int i = 0; i < ROWS; i++) {
      Row row = rows.get(i);
      rows.set(i, Row.of(row.key(), await(versions.get(i)), row.value(), row.expiry()));
    }
    return rows;
  }

  /** Returns bytes of which many are zero. */
  private Bytes bytes(int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (random.nextInt(5) - 2);
    }
    return Bytes.of(bytes);
  }

  /** Reads a range page by page and returns the clustering keys of its live rows. */
  private List<Bytes> pages(Bytes main, Range whole) {
    List<Bytes> live = new ArrayList<>();
    Range rest = whole;
    boolean limited = false;
    while (true) {
      RowPage page = engine.reads().range(table, main, rest, PageLimit.of(1_000, 1 << 20), 0);
      page.rows().stream()
          .filter(row -> !row.isTombstone())
          .forEach(row -> live.add(row.key().clustering()));
      limited |= page.stop() == RangePage.Stop.SCAN_LIMIT;
      Bytes passed = page.passed();
      if (passed == null) {
        assertThat(limited).isTrue();
        return live;
      }
      rest =
          rest.direction() == Range.Direction.FORWARD
              ? rest.withFrom(passed, false)
              : rest.withTo(passed, false);
    }
  }

  @Test
  void range_stretchesOfTombstones_returnsEachEntryOnce() {
    Bytes main = Bytes.utf8("main");
    List<Bytes> living = new ArrayList<>();
    List<CompletableFuture<Long>> writes = new ArrayList<>();
    for (int i = 0; i < 2 * Reads.MAX_TOMBSTONES + 10; i++) {
      Bytes clustering = Bytes.utf8(String.format(Locale.ROOT, "%06d", i));
      boolean lives = i % Reads.MAX_TOMBSTONES < 3;
      writes.add(
          write(
              StoreKey.of(main, clustering),
              lives ? Mutation.put(Bytes.utf8("v")) : Mutation.delete()));
      if (lives) {
        living.add(clustering);
      }
      if (writes.size() == 1_000) {
        writes.forEach(Stores::await);
        writes.clear();
      }
    }
    writes.forEach(Stores::await);

    assertThat(pages(main, Range.all())).isEqualTo(living);
    Collections.reverse(living);
    assertThat(pages(main, Range.all().backward())).isEqualTo(living);
  }

  @Test
  void changes_rowsOfAllSizes_areTheRowsThatWereWritten() {
    List<Row> written = writeRows();

    List<Row> read = new ArrayList<>();
    long position = 0;
    while (read.size() < ROWS) {
      ChangeSource.Data data =
          (ChangeSource.Data) await(engine.changes(table, position, 10_000, Duration.ZERO));
      for (ChangeSource.Change change : data.changes()) {
        assertThat(change.position()).as("seed %s", seed).isEqualTo(++position);
        read.add(change.row());
      }
    }

    assertThat(read).as("seed %s", seed).isEqualTo(written);
    assertThat(position).isEqualTo(table.publishedPosition());
  }

  @Test
  void scan_rowsOfAllSizes_givesEachOnceAndTheExpiredAsTombstones() {
    List<Row> written = writeRows();

    List<Row> read = new ArrayList<>();
    for (ScanTask task : Partitions.tasks(3, 2)) {
      Bytes position = null;
      do {
        PageLimit limit = PageLimit.of(1 + random.nextInt(9), 1 + random.nextInt(5_000));
        ScanPage page = Messages.scanPage(engine.reads().scan(table, task, position, limit));
        assertThat(page.rows()).as("seed %s", seed).hasSizeBetween(1, limit.entries());
        read.addAll(page.rows());
        position = page.next();
      } while (position != null);
    }

    List<Row> expected = written.stream().map(row -> row.at(Instant.now())).toList();
    assertThat(read).as("seed %s", seed).containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void get_rowsOfAllSizes_givesThemAndTheExpiredAsTombstones() {
    for (Row row : writeRows()) {
      assertThat(engine.reads().get(table, row.key(), 0))
          .as("seed %s", seed)
          .isEqualTo(row.at(Instant.now()));
    }
  }

  @Test
  void get_rowsAroundTheSizesOfItsBuffers_givesThemWhole() {
    List<Row> written = new ArrayList<>();
    for (int size : List.of(0, 1_014, 1_015, 1_016, 65_526, 65_527, 65_528, 2_000_000, 3)) {
      for (int keySize : List.of(1, 502, 503, 504, 505, 65_535)) {
        StoreKey key = StoreKey.of(Bytes.utf8("x".repeat(keySize)), Bytes.utf8("" + size));
        Bytes value = bytes(size);
        written.add(Row.of(key, await(write(key, Mutation.put(value))), value, null));
      }
    }

    for (int round = 0; round < 2; round++) {
      for (Row row : written) {
        assertThat(engine.reads().get(table, row.key(), 0)).as("seed %s", seed).isEqualTo(row);
      }
    }
    assertThat(engine.reads().get(table, StoreKey.of(Bytes.utf8("none"), Bytes.empty()), 0))
        .isNull();
  }

  @Test
  void write_lowerVersionBehindAHigherInOneBatch_hasNoEffect() {
    StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.empty());
    await(engine.gates().fence(table, "try", FenceOptions.lasting(Duration.ofSeconds(30))));
    long base = engine.gates().state(table).fence().version();
    CompletableFuture<Long> higher =
        write(key, Mutation.put(Bytes.utf8("higher")).withVersion(base + 2));
    CompletableFuture<Long> lower =
        write(key, Mutation.put(Bytes.utf8("lower")).withVersion(base + 1));
    await(engine.gates().lift(table, "try"));

    assertThat(await(higher)).isEqualTo(base + 2);
    assertThat(await(lower)).isEqualTo(base + 1);
    assertThat(engine.reads().get(table, key, 0))
        .isEqualTo(Row.of(key, base + 2, Bytes.utf8("higher"), null));
  }

  /** Returns an admission that notes what it is asked for. */
  private static Reads.Admission noting(List<Long> asked) {
    return asked::add;
  }

  private static Reads.Admission refusing() {
    return bytes -> {
      throw new KvException.Overloaded("no memory");
    };
  }

  @Test
  void range_firstRowLargerThanItsLimit_asksForWhatExceedsIt() {
    Bytes main = Bytes.utf8("m");
    await(write(StoreKey.of(main, Bytes.utf8("a")), Mutation.put(bytes(200_000))));
    await(write(StoreKey.of(main, Bytes.utf8("b")), Mutation.put(bytes(300_000))));
    List<Long> asked = new ArrayList<>();
    PageLimit tiny = PageLimit.of(10, 100);

    RowPage page = engine.reads().range(table, main, Range.all(), tiny, 0, noting(asked));

    assertThat(page.rows()).hasSize(1);
    assertThat(page.stop()).isEqualTo(RangePage.Stop.BYTE_LIMIT);
    assertThat(asked)
        .singleElement(InstanceOfAssertFactories.LONG)
        .isBetween(200_000L - 100 - 16, 200_000L - 100 + 1);
    assertThatThrownBy(() -> engine.reads().range(table, main, Range.all(), tiny, 0, refusing()))
        .isInstanceOf(KvException.Overloaded.class);
    assertThat(
            engine
                .reads()
                .range(table, main, Range.all(), PageLimit.of(10, 250_000), 0, refusing())
                .rows())
        .hasSize(1);
  }

  @Test
  void range_largeExpiredRows_areTombstonesThatNobodyIsAskedFor() {
    Bytes main = Bytes.utf8("m");
    for (String clustering : List.of("a", "b")) {
      Mutation mutation = Mutation.of(bytes(200_000)).withExpiry(past);
      await(write(StoreKey.of(main, Bytes.utf8(clustering)), mutation));
    }

    RowPage page =
        engine.reads().range(table, main, Range.all(), PageLimit.of(10, 100), 0, refusing());

    assertThat(page.rows()).hasSize(2).allMatch(Row::isTombstone);
    assertThat(page.stop()).isEqualTo(RangePage.Stop.END);
  }

  @Test
  void scanAndChanges_firstRowLargerThanTheirLimit_askForWhatExceedsIt() {
    for (String main : List.of("a", "b")) {
      await(write(StoreKey.of(Bytes.utf8(main), Bytes.empty()), Mutation.put(bytes(200_000))));
    }
    List<Long> asked = new ArrayList<>();
    ScanTask all = ScanTask.of(-1, Partitions.MAX_PARTITIONS);

    engine.reads().scan(table, all, null, PageLimit.of(10, 100), noting(asked));
    engine.reads().changes(table, 0, 100, noting(asked));

    assertThat(asked).hasSize(2).allMatch(bytes -> bytes >= 200_000 - 100 && bytes < 200_000);
    assertThatThrownBy(
            () -> engine.reads().scan(table, all, null, PageLimit.of(10, 100), refusing()))
        .isInstanceOf(KvException.Overloaded.class);
    assertThatThrownBy(() -> engine.reads().changes(table, 0, 100, refusing()))
        .isInstanceOf(KvException.Overloaded.class);
  }
}
