package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.ShardRule;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.BackFillReport;
import dev.kvshift.migrate.api.BackFillReport.Counts;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.KeyList;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Back-fill of listed main keys: what it copies, compares and refuses, and where it resumes. In
 * memory, from a store without a leader to another layout, and from one with a leader.
 */
final class BackFillTest {
  private static final int ROOMS = 90;
  private static final int MESSAGES = 3;
  private static final int LONG_ROOM = 250;
  private static final Layout SHARDED = Layout.range(ShardRule.firstBits(4));

  private final String name = UUID.randomUUID().toString();
  private final Store source = store("source");
  private final Store target = store("target");
  private final StoreCollection from =
      join(source.open(Sides.COLLECTION, Sides.LAYOUT, Claim.ACTIVE));
  private final long version = VersionClock.micros(Instant.now().minusSeconds(60));
  private final List<String> said = Collections.synchronizedList(new ArrayList<>());
  private Intercepted.@Nullable Fault fault;

  @TempDir private Path folder;

  @AfterEach
  void close() {
    source.close();
    target.close();
  }

  @Test
  void backFill_listedKeys_bringsEachSideWhatItLacksOfThemAndNothingElse() {
    fillRooms();
    for (int i = MESSAGES; i < LONG_ROOM; i++) {
      write(from, message(7, i), Mutation.put(Bytes.utf8("long")), version);
    }
    ClockMigration migration = migration();
    migration.step(Phase.DUAL_WRITE);
    StoreCollection to = to();
    write(from, message(5, 0), Mutation.delete(), version + 10);
    write(to, message(5, 0), Mutation.put(Bytes.utf8("stale")), version + 5);
    write(to, message(5, 1), Mutation.put(Bytes.utf8("newer")), version + 10);
    write(to, message(5, 2), Mutation.delete(), version + 10);
    Instant expired = Instant.now().minusSeconds(30);
    write(from, message(3, 9), Mutation.put(Bytes.utf8("x")).withExpiry(expired), version);

    BackFillReport report = migration.backFill(list(room(7), room(5), "nobody", room(7), room(3)));

    assertThat(report.isEnded()).isTrue();
    assertThat(report.total()).isEqualTo(5);
    assertThat(report.differences()).isEmpty();
    Counts counts = report.counts();
    assertThat(counts.keys()).isEqualTo(5);
    assertThat(counts.absent()).isEqualTo(1);
    assertThat(counts.toOld()).isEqualTo(2);
    assertThat(counts.differing()).isZero();
    for (int i = 0; i < LONG_ROOM; i++) {
      assertThat(Objects.requireNonNull(read(to, message(7, i))).version()).isEqualTo(version);
    }
    assertThat(Objects.requireNonNull(read(to, message(5, 0))).isTombstone()).isTrue();
    assertThat(Objects.requireNonNull(read(from, message(5, 1))).value())
        .isEqualTo(Bytes.utf8("newer"));
    assertThat(Objects.requireNonNull(read(from, message(5, 2))).isTombstone()).isTrue();
    assertThat(isLive(read(to, message(3, 9)))).isFalse();
    assertThat(isLive(read(to, message(3, 0)))).isTrue();
    assertThat(read(to, message(4, 0))).isNull();
    assertThat(migration.verify().toNew())
        .as("what was not listed")
        .isEqualTo((ROOMS - 3) * (long) MESSAGES);
  }

  @Test
  void backFill_phaseInWhichServicesDoNotWriteBoth_isRefusedAndSaysWhatToDo() {
    fillRooms();
    ClockMigration migration = migration();
    for (Phase phase : List.of(Phase.LEGACY, Phase.SHADOW_WRITE)) {
      migration.step(phase);
      assertThatThrownBy(() -> migration.backFill(list(room(1))))
          .isInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessageContaining("is in phase " + phase.word())
          .hasMessageContaining("step to dual-write first");
    }
    assertThat(read(to(), message(1, 0))).isNull();
    migration.step(Phase.NEW_PRIMARY);
    assertThatThrownBy(() -> migration.backFill(list(room(1))))
        .isInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessageContaining("nothing is left to do");
  }

  @Test
  void backFill_lineThatIsNoKey_isRefusedByItsNumberBeforeAnythingIsSent() throws IOException {
    fillRooms();
    ClockMigration migration = migration();
    migration.step(Phase.DUAL_WRITE);
    String key = "x".repeat(70_000);
    for (List<String> wrong :
        List.of(
            List.of(room(1), "0xzz"),
            List.of(room(1), "", room(2)),
            List.of(room(1), key),
            List.of(room(1), "y".repeat(KeyList.MAX_LINE_BYTES + 1)))) {
      assertThatThrownBy(() -> migration.backFill(list(wrong.toArray(String[]::new))))
          .as("%.20s", wrong.get(1))
          .isExactlyInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("line 2 of the list of keys in ");
    }
    List<String> late =
        Stream.concat(IntStream.range(0, 60).mapToObj(BackFillTest::room), Stream.of("0xzz"))
            .toList();
    assertThatThrownBy(() -> migration.backFill(list(late.toArray(String[]::new))))
        .hasMessageContaining("line 61 of the list of keys in ");
    Path bytes = Files.write(folder.resolve("bytes"), new byte[] {'a', '\n', (byte) 0xff, '\n'});
    assertThatThrownBy(() -> migration.backFill(KeyList.of(bytes, Bytes::utf8)))
        .hasMessageContaining("line 2 of the list of keys in ")
        .hasMessageContaining("is not UTF-8");
    assertThatThrownBy(() -> migration.backFill(KeyList.of(folder.resolve("none"), Bytes::utf8)))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("cannot be read");
    assertThat(read(to(), message(1, 0))).isNull();
    assertThat(migration.status().backFill()).isNull();
  }

  @Test
  void backFill_killedAndGivenAgain_resumesExactlyWhereItsListStillIsTheSame() {
    fillRooms();
    migration().step(Phase.SHADOW_READ);
    String[] rooms = IntStream.range(0, ROOMS).mapToObj(BackFillTest::room).toArray(String[]::new);
    fault = killed(room(85));
    assertThatThrownBy(() -> migration().backFill(list(rooms))).hasMessage("killed");
    fault = null;
    BackFillReport saved = Objects.requireNonNull(migration().status().backFill());
    assertThat(saved.isEnded()).isFalse();
    assertThat(saved.counts().keys()).isEqualTo(80);
    assertThat(saved.total()).isEqualTo(ROOMS);

    String[] changed = rooms.clone();
    changed[79] = room(0);
    assertThat(keysRead(() -> migration().backFill(list(changed)).counts())).isEqualTo(ROOMS);
    fault = killed(room(85));
    assertThatThrownBy(() -> migration().backFill(list(rooms))).hasMessage("killed");
    fault = null;
    List<String> grown = new ArrayList<>(List.of(rooms));
    grown.add("grown");
    Counts[] whole = new Counts[1];
    assertThat(
            keysRead(
                () -> whole[0] = migration().backFill(list(grown.toArray(String[]::new))).counts()))
        .isEqualTo(11);
    assertThat(said).contains("resumes the list after 80 keys");
    assertThat(whole[0].keys()).isEqualTo(ROOMS + 1);
    assertThat(keysRead(() -> migration().backFill(list(grown.toArray(String[]::new))).counts()))
        .as("a list that is done is compared again")
        .isEqualTo(ROOMS + 1);

    fault = killed(room(85));
    assertThatThrownBy(() -> migration().backFill(list(rooms))).hasMessage("killed");
    fault = null;
    migration().step(Phase.DUAL_WRITE);
    write(from, message(1, 0), Mutation.put(Bytes.utf8("on one side alone")), version + 1);
    assertThat(keysRead(() -> migration().backFill(list(rooms)).counts()))
        .as("another epoch")
        .isEqualTo(ROOMS);
    assertThat(Objects.requireNonNull(read(to(), message(1, 0))).version()).isEqualTo(version + 1);
    migration().rollBack();
    migration().reset(false);
    assertThat(migration().status().backFill()).isNull();
  }

  @Test
  void backFill_sideThatAcknowledgesAndDoesNotKeep_countsTheKeyAndSaysHow() {
    fillRooms();
    migration().step(Phase.DUAL_WRITE);
    fault =
        (type, method, arguments, request) ->
            method.equals("write") && arguments[0].equals(message(2, 1))
                ? CompletableFuture.completedFuture(version)
                : request.send();
    BackFillReport report = migration().backFill(list(room(1), room(2)));
    assertThat(report.counts().differing()).isEqualTo(1);
    assertThat(report.differences())
        .extracting(Difference::kind, Difference::key)
        .containsExactly(tuple(Difference.Kind.MISSING, message(2, 1)));
  }

  @Test
  void backFill_newRead_marksEachKeyOnceItIsWholeAndNothingDiffers() {
    fillRooms();
    migration().step(Phase.SHADOW_READ);
    migration().backFill(list(room(0)));
    assertThat(marks()).as("reads ask both sides in shadow-read").isZero();
    migration().step(Phase.NEW_READ);
    write(from, message(1, 7), Mutation.put(Bytes.utf8("lost")), version);
    write(from, message(2, 7), Mutation.put(Bytes.utf8("late")), version);
    fault =
        (type, method, arguments, request) -> {
          if (method.equals("write") && arguments[0].equals(message(2, 7))) {
            throw new IllegalStateException("killed");
          }
          return method.equals("write") && arguments[0].equals(message(1, 7))
              ? CompletableFuture.completedFuture(version)
              : request.send();
        };
    assertThat(migration().backFill(list(room(0), room(1))).counts().differing()).isEqualTo(1);
    assertThat(marks()).isEqualTo(1);
    assertThatThrownBy(() -> migration().backFill(list(room(2)))).hasMessage("killed");
    assertThat(marks()).isEqualTo(1);
    fault = null;
    migration().backFill(list(room(1), room(2), room(0), room(2)));
    assertThat(marks()).isEqualTo(3);
  }

  @Test
  void backFill_withALeader_comparesEachRowOnceEverythingIsApplied() {
    try (Sides sides = Sides.sharded()) {
      sides.fill(400);
      sides.delete(Sides.key(101));
      sides.run(Migration::prepare);
      sides.put(Sides.key(1), "changed since the stream began");
      StoreKey foreign = Sides.key(202);
      long future = VersionClock.micros(Instant.now());
      Mutation put = Mutation.put(Bytes.utf8("foreign"));
      join(sides.to().write(foreign, put.withVersion(future), Sides.call()));
      KeyList rows = list("row-2", "row-1", "row-none", "row-2");
      BackFillReport[] report = new BackFillReport[1];
      sides.run(migration -> report[0] = migration.backFill(rows));

      assertThat(report[0].counts().keys()).isEqualTo(4);
      assertThat(report[0].counts().absent()).isEqualTo(1);
      assertThat(report[0].counts().toNew())
          .as("the stream may have brought one row before")
          .isBetween(5L, 6L);
      assertThat(report[0].counts().toOld()).isZero();
      assertThat(report[0].counts().differing()).isEqualTo(1);
      assertThat(report[0].differences())
          .extracting(Difference::kind, Difference::key, Difference::isForeign)
          .containsOnly(tuple(Difference.Kind.DIFFERENT, foreign, true));
      for (int i = 0; i < 400; i++) {
        boolean isListed = i % 100 == 1 || i % 100 == 2;
        assertThat(isLive(read(sides.to(), Sides.key(i))))
            .as("%s", i)
            .isEqualTo(isListed && i != 101);
      }
      assertThat(Objects.requireNonNull(read(sides.to(), Sides.key(1))).value())
          .isEqualTo(Bytes.utf8("changed since the stream began"));
      sides.run(
          migration ->
              assertThat(Objects.requireNonNull(migration.status().backFill()).counts())
                  .isEqualTo(report[0].counts()));
    }
  }

  private void fillRooms() {
    for (int room = 0; room < ROOMS; room++) {
      for (int i = 0; i < MESSAGES; i++) {
        write(from, message(room, i), Mutation.put(Bytes.utf8("value")), version);
      }
    }
  }

  private static String room(int number) {
    return "room-" + number;
  }

  private static StoreKey message(int room, int number) {
    return StoreKey.of(Bytes.utf8(room(room)), Bytes.utf8("message-" + number));
  }

  /** Fails a run once it has read a main key. */
  private static Intercepted.Fault killed(String room) {
    return (type, method, arguments, request) -> {
      if (method.equals("range") && arguments[0].equals(Bytes.utf8(room))) {
        throw new IllegalStateException("killed");
      }
      return request.send();
    };
  }

  /** Returns how many times a main key was read on the new side, each with one page. */
  private int keysRead(Runnable backFill) {
    AtomicInteger pages = new AtomicInteger();
    fault =
        (type, method, arguments, request) -> {
          if (method.equals("range")) {
            pages.incrementAndGet();
          }
          return request.send();
        };
    backFill.run();
    fault = null;
    return pages.get();
  }

  private KeyList list(String... keys) {
    Path file = folder.resolve("keys");
    try {
      Files.writeString(
          file,
          IntStream.range(0, keys.length)
              .mapToObj(i -> keys[i] + (i % 2 == 0 ? "\n" : "\r\n"))
              .collect(Collectors.joining()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return KeyList.of(
        file, text -> text.startsWith("0x") ? Bytes.fromHex(text.substring(2)) : Bytes.utf8(text));
  }

  /** Returns a migration of its own, as a command has one, through the present fault. */
  private ClockMigration migration() {
    MigrationOptions options =
        MigrationOptions.builder()
            .dwell(Duration.ZERO)
            .copyWorkers(2)
            .maxInFlight(64)
            .pageRows(20)
            .build();
    Store to = fault == null ? target : Intercepted.of(target, fault);
    return ClockMigration.of(
        MigrationPlan.builder(Sides.COLLECTION, SHARDED)
            .source(source)
            .target(to)
            .bootstrapServers("localhost:1")
            .options(options)
            .build(),
        event -> {
          if (event.note() != null) {
            said.add(event.note());
          }
        });
  }

  private StoreCollection to() {
    return join(target.open(Sides.COLLECTION, SHARDED, Claim.NONE));
  }

  /** Returns the number of keys that are marked for the services. */
  private int marks() {
    Layout layout = Layout.of(Layout.Shape.POINT, ShardRule.none(), 0);
    String marked = "kvshift_backfilled";
    if (Await.<@Nullable CollectionRecord>join(CollectionRecord.read(target.metadata(), marked))
        == null) {
      return 0;
    }
    StoreCollection marks = join(target.open(marked, layout, Claim.NONE));
    int rows = 0;
    for (ScanTask task : join(marks.scanTasks(1, Sides.call()))) {
      rows += join(marks.scan(task, null, PageLimit.entries(100), Sides.call())).rows().size();
    }
    return rows;
  }

  private static void write(
      StoreCollection side, StoreKey key, Mutation mutation, long itsVersion) {
    CompletionStage<Long> written = side.write(key, mutation.withVersion(itsVersion), Sides.call());
    join(written);
  }

  private static @Nullable Row read(StoreCollection side, StoreKey key) {
    return Await.<@Nullable Row>join(side.get(key, Sides.call()));
  }

  private static boolean isLive(@Nullable Row row) {
    return row != null && !row.isTombstone();
  }

  private Store store(String side) {
    return new ShardedStore(MemoryStoreProvider.open(side + "-" + name, Sides.LEADERLESS));
  }
}
