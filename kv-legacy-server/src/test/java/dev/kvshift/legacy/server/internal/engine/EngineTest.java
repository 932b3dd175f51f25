package dev.kvshift.legacy.server.internal.engine;

import static dev.kvshift.legacy.server.Stores.await;
import static dev.kvshift.legacy.server.Stores.unhurried;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.legacy.server.ManualClock;
import dev.kvshift.legacy.server.Stores;
import dev.kvshift.legacy.server.internal.commit.FencedWrites;
import dev.kvshift.legacy.server.internal.commit.Operation;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.storage.DiskSpace;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.server.internal.storage.LeaderClock;
import dev.kvshift.legacy.server.internal.storage.Retention;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of the store over restarts, clock steps, failures and races at the fence. */
class EngineTest {
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("c"));
  private static final Duration LIFETIME = Duration.ofSeconds(30);

  @TempDir Path directory;
  private final ManualClock clock = new ManualClock();
  private final AtomicLong freeBytes = new AtomicLong(Long.MAX_VALUE);
  private final Retention retention =
      new Retention(Duration.ofDays(10), Duration.ofDays(2), Long.MAX_VALUE);
  private Engine engine;
  private Table table;

  private volatile @Nullable Error diskError;

  private long freeBytes() {
    Error error = diskError;
    if (error != null) {
      diskError = null;
      throw error;
    }
    return freeBytes.get();
  }

  @BeforeEach
  void open() {
    DiskSpace space = new DiskSpace(this::freeBytes);
    engine = Engine.open(EngineOptions.of(directory, 4).with(clock).with(space).with(retention));
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

  private CompletableFuture<Long> put(String value) {
    return put(value, Duration.ofSeconds(10));
  }

  private CompletableFuture<Long> putIn(long epoch) {
    Call call = Call.within(Duration.ofSeconds(10)).withEpoch(epoch);
    return engine.write(table, KEY, Mutation.put(Bytes.utf8("v")), call);
  }

  private CompletableFuture<Long> put(String value, Duration timeout) {
    return engine.write(table, KEY, Mutation.put(Bytes.utf8(value)), Call.within(timeout));
  }

  @Test
  void open_otherNumberOfPartitions_isRefusedNamingBoth() {
    close();
    try {
      assertThatThrownBy(() -> Engine.open(EngineOptions.of(directory, 5)))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("4 partitions, not 5");
    } finally {
      open();
    }
  }

  @Test
  void draw_afterRestart_liesAboveEverythingIssuedBefore() {
    long before = await(put("v1"));
    long ceiling = engine.gates().state(table).versionCeiling();
    reopen();
    long after = await(put("v2"));

    assertThat(ceiling).isGreaterThanOrEqualTo(before);
    assertThat(after).isGreaterThan(ceiling);
    assertThat(engine.reads().window(table)).isEqualTo(ChangeSource.Window.of(1, 2));
  }

  @Test
  void changes_wokenThoughNothingIsNew_waitForWhatComesNext() {
    await(put("v1"));
    CompletableFuture<ChangeSource.Batch> read =
        engine.changes(table, 1, 1 << 20, Duration.ofSeconds(60));
    table.wakeChangeWaiters();

    long second = await(put("v2"));

    assertThat(await(read))
        .isEqualTo(
            ChangeSource.Data.of(
                List.of(ChangeSource.Change.of(2, Row.of(KEY, second, Bytes.utf8("v2"), null))),
                2));
    assertThat(table.changeWaiterCount()).isZero();
  }

  @Test
  void write_clockWentBackADay_isRefusedUntilTheClockIsRight() {
    long first = await(put("v1"));
    clock.jump(Duration.ofDays(-1));

    assertThatThrownBy(() -> await(put("v2")))
        .isInstanceOf(KvException.Transient.class)
        .hasMessageContaining("clock");
    assertThat(engine.reads().get(table, KEY, 0))
        .isEqualTo(Row.of(KEY, first, Bytes.utf8("v1"), null));

    clock.jump(Duration.ofDays(1));
    assertThat(await(put("v2"))).isGreaterThan(first);
  }

  @Test
  void write_clockSteppedAheadADay_isRefusedUntilTheClockIsRight() {
    long first = await(put("v1"));
    clock.jump(Duration.ofDays(1));

    assertThatThrownBy(() -> await(put("v2")))
        .isInstanceOf(KvException.Transient.class)
        .hasMessageContaining("stepped ahead by 86");
    assertThatThrownBy(
            () -> await(engine.gates().fence(table, "try-1", FenceOptions.lasting(LIFETIME))))
        .isInstanceOf(KvException.Transient.class);
    assertThat(engine.gates().state(table).fence()).isNull();
    assertThat(engine.reads().get(table, KEY, 0).version()).isEqualTo(first);

    clock.jump(Duration.ofDays(-1));
    assertThat(await(put("v2"))).isBetween(first + 1, VersionClock.micros(clock.instant()));
  }

  @Test
  void write_clockSteppedAheadASecond_followsTheClock() {
    long first = await(put("v1"));
    clock.jump(LeaderClock.MAX_STEP.minusMillis(100));

    assertThat(await(put("v2"))).isGreaterThan(first + 800_000);
  }

  @Test
  void write_aDayLaterByBothClocks_followsTheClock() {
    long first = await(put("v1"));
    clock.advance(Duration.ofDays(1));
    long second = await(put("v2"));

    assertThat(second - first).isGreaterThanOrEqualTo(TimeUnit.DAYS.toMicros(1));
    assertThat(second).isLessThanOrEqualTo(VersionClock.micros(clock.instant()));
  }

  @Test
  void restart_clockSteppedAhead_confirmsTheNewTime() {
    long first = await(put("v1"));
    clock.jump(Duration.ofDays(1));
    reopen();

    assertThat(await(put("v2"))).isGreaterThan(first + TimeUnit.HOURS.toMicros(23));
  }

  @Test
  void tryLock_clockSteppedAhead_doesNotGrantAHeldLock() {
    Set<Bytes> keys = Set.of(Bytes.utf8("k"));
    Duration lease = Duration.ofMinutes(1);
    await(engine.locks().tryLockAll("space", keys, lease, unhurried()));
    clock.jump(Duration.ofDays(8));

    assertThat(await(engine.locks().tryLockAll("space", keys, lease, unhurried())).busy())
        .isEqualTo(keys);
  }

  @Test
  void get_clockSteppedAhead_returnsARowThatHasNotExpired() {
    Mutation expiring = Mutation.put(Bytes.utf8("v")).withExpiry(clock.instant().plusSeconds(60));
    await(engine.write(table, KEY, expiring, unhurried()));
    clock.jump(Duration.ofDays(8));

    assertThat(engine.reads().get(table, KEY, 0).value()).isEqualTo(Bytes.utf8("v"));
  }

  @Test
  void write_versionTooFarAhead_isRefused() {
    long tooFar = VersionClock.micros(clock.instant().plusSeconds(10));

    assertThatThrownBy(
            () ->
                await(
                    engine.write(
                        table,
                        KEY,
                        Mutation.put(Bytes.utf8("v")).withVersion(tooFar),
                        unhurried())))
        .isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void write_versionSlightlyAhead_isBelowTheNextDrawnOne() {
    long ahead = VersionClock.micros(clock.instant()) + 500_000;
    await(engine.write(table, KEY, Mutation.put(Bytes.utf8("v")).withVersion(ahead), unhurried()));
    reopen();

    assertThat(await(put("v2"))).isGreaterThan(ahead);
  }

  @Test
  void fence_afterRestart_standsAndIsLiftedAtItsDeadline() {
    Gate.Fence fence =
        await(engine.gates().fence(table, "try-1", FenceOptions.lasting(Duration.ofSeconds(20))));
    reopen();

    assertThat(engine.gates().state(table).fence()).isEqualTo(fence);
    CompletableFuture<Long> waiting = put("late");
    assertThat(await(engine.gates().fence(table, "try-1", FenceOptions.lasting(LIFETIME))))
        .isEqualTo(fence);
    assertThat(waiting).isNotDone();

    clock.advance(Duration.ofSeconds(21));

    assertThat(await(waiting)).isGreaterThan(fence.version());
    assertThat(await(engine.changes(table, 1, 1 << 20, Duration.ZERO)))
        .isEqualTo(ChangeSource.Lifted.of("try-1", 2));
    assertThatThrownBy(() -> await(engine.gates().move(table, "try-1")))
        .isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void fence_deadlinePassedWhileDown_isLiftedAtStart() {
    await(engine.gates().fence(table, "try-1", FenceOptions.lasting(Duration.ofSeconds(20))));
    close();
    clock.advance(Duration.ofSeconds(21));
    open();

    await(put("v"));

    assertThat(engine.gates().state(table).fence()).isNull();
    assertThatThrownBy(() -> await(engine.gates().move(table, "try-1")))
        .isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void fence_clockWentBackADay_isStillLiftedInTime() {
    await(engine.gates().fence(table, "try-1", FenceOptions.lasting(Duration.ofSeconds(1))));
    CompletableFuture<Long> waiting = put("late");
    clock.jump(Duration.ofDays(-1));

    assertThatThrownBy(() -> await(waiting)).isInstanceOf(KvException.Transient.class);
    assertThat(engine.gates().state(table).fence()).isNull();
  }

  @Test
  void move_afterRestart_isAnsweredAsBefore() {
    await(engine.gates().fence(table, "try-1", FenceOptions.lasting(LIFETIME)));
    Gate.State moved = await(engine.gates().move(table, "try-1"));
    reopen();

    assertThat(await(engine.gates().move(table, "try-1")).floor()).isEqualTo(moved.floor());
    assertThat(engine.gates().state(table).phase()).isEqualTo(Phase.NEW_ONLY);
    assertThatThrownBy(() -> await(put("v"))).isInstanceOf(StalePhase.class);
    assertThatThrownBy(() -> await(engine.gates().lift(table, "try-1")))
        .isInstanceOf(StalePhase.class);
  }

  @Test
  void moveAndLift_atOnce_exactlyOneHolds() {
    for (int round = 0; round < 50; round++) {
      Table racing = await(engine.collection("race" + round));
      await(engine.gates().fence(racing, "try", FenceOptions.lasting(LIFETIME)));
      CompletableFuture<Long> write =
          engine.write(racing, KEY, Mutation.put(Bytes.utf8("v")), unhurried());
      CompletableFuture<Void> lift =
          CompletableFuture.runAsync(() -> await(engine.gates().lift(racing, "try")));
      CompletableFuture<Gate.State> move =
          CompletableFuture.supplyAsync(() -> await(engine.gates().move(racing, "try")));

      boolean moved = move.handle((state, error) -> error == null).join();
      boolean lifted = lift.handle((nothing, error) -> error == null).join();
      boolean written = write.handle((version, error) -> error == null).join();

      assertThat(moved).isNotEqualTo(lifted);
      assertThat(written).isEqualTo(lifted);
      Phase phase = engine.gates().state(racing).phase();
      assertThat(phase).isEqualTo(moved ? Phase.NEW_ONLY : Phase.LEGACY);
    }
  }

  @Test
  void write_waitingRoomFull_isFencedAtOnce() {
    await(engine.gates().fence(table, "try-1", FenceOptions.lasting(LIFETIME)));
    List<CompletableFuture<Long>> waiting = new ArrayList<>();
    for (int i = 0; i < FencedWrites.MAX_WRITES; i++) {
      waiting.add(put("v" + i));
      if (i % 1_000 == 0) {
        await(engine.gates().fence(table, "try-1", FenceOptions.lasting(LIFETIME)));
      }
    }

    assertThatThrownBy(() -> await(put("one too many")))
        .isInstanceOf(KvException.CollectionFenced.class);
    assertThat(waiting).noneMatch(CompletableFuture::isDone);

    await(engine.gates().lift(table, "try-1"));
    waiting.forEach(Stores::await);
    assertThat(engine.reads().window(table).newest()).isEqualTo(FencedWrites.MAX_WRITES + 2L);
  }

  @Test
  void changes_fenceBetweenWrites_makesABatchOfItsOwn() {
    await(put("v1"));
    Gate.Fence fence = await(engine.gates().fence(table, "try-1", FenceOptions.lasting(LIFETIME)));
    await(engine.gates().lift(table, "try-1"));
    await(put("v2"));

    assertThat(await(engine.changes(table, 0, 1 << 20, Duration.ZERO)).position()).isEqualTo(1);
    assertThat(await(engine.changes(table, 1, 1 << 20, Duration.ZERO)))
        .isEqualTo(ChangeSource.Fenced.of(fence));
    assertThat(await(engine.changes(table, 2, 1 << 20, Duration.ZERO)))
        .isEqualTo(ChangeSource.Lifted.of("try-1", 3));
    assertThat(await(engine.changes(table, 3, 1 << 20, Duration.ZERO)).position()).isEqualTo(4);
  }

  @Test
  void write_otherCollectionWhileFenced_goesOn() {
    Table other = await(engine.collection("other"));
    await(engine.gates().fence(table, "try-1", FenceOptions.lasting(LIFETIME)));

    await(engine.write(other, KEY, Mutation.put(Bytes.utf8("v")), unhurried()));

    assertThat(engine.reads().get(other, KEY, 0)).isNotNull();
  }

  @Test
  void drop_openCollection_isGoneAndItsNameStartsAnew() {
    await(put("v"));
    await(engine.drop("files", 1));

    assertThatThrownBy(() -> engine.reads().get(table, KEY, 0))
        .isInstanceOf(KvException.Permanent.class);
    table = await(engine.collection("files"));
    assertThat(engine.reads().get(table, KEY, 0)).isNull();
    assertThat(engine.reads().window(table)).isEqualTo(ChangeSource.Window.of(1, 0));
  }

  /** Holds up the commit thread until the returned latch is counted down. */
  private CountDownLatch holdUpCommits() {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    engine
        .pipeline()
        .submit(
            Operation.of(
                commit -> {
                  begun.countDown();
                  awaitLatch(release);
                  return "released";
                }));
    awaitLatch(begun);
    return release;
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while waiting for a latch", e);
    }
  }

  @Test
  void submit_operationDiesWithAnError_failsAlone() {
    CountDownLatch held = holdUpCommits();
    CompletableFuture<Long> before = put("before");
    CompletableFuture<String> dying =
        engine
            .pipeline()
            .submit(
                Operation.on(
                    table,
                    commit -> {
                      commit.put(table, KEY, commit.versions().draw(), Bytes.utf8("half"), null);
                      throw new NoClassDefFoundError("dev/kvshift/Missing");
                    }));
    CompletableFuture<Long> after = put("after");
    held.countDown();

    assertThatThrownBy(() -> await(dying))
        .isInstanceOf(KvException.Permanent.class)
        .hasCauseInstanceOf(NoClassDefFoundError.class);
    long last = await(after);
    assertThat(last).isGreaterThan(await(before));
    assertThat(engine.reads().get(table, KEY, 0))
        .isEqualTo(Row.of(KEY, last, Bytes.utf8("after"), null));
    ChangeSource.Data changes =
        (ChangeSource.Data) await(engine.changes(table, 0, 1 << 20, Duration.ZERO));
    assertThat(changes.changes())
        .extracting(change -> change.row().value())
        .containsExactly(Bytes.utf8("before"), Bytes.utf8("after"));
  }

  @Test
  void write_commitThreadMeetsAnError_isRefusedAndTheStoreRecovers() {
    List<Boolean> availability = new CopyOnWriteArrayList<>();
    engine.pipeline().onAvailability(availability::add);
    await(put("v1"));
    diskError = new StackOverflowError("injected");

    Await.until(
        "the error is met",
        () -> {
          CompletableFuture<Long> put = put("v2");
          return put.handle((version, error) -> error != null).join();
        });
    Await.until("the store takes writes again", () -> availability.contains(true));

    long version = await(put("v3"));
    assertThat(availability).containsExactly(false, true);
    assertThat(engine.reads().get(table, KEY, 0))
        .isEqualTo(Row.of(KEY, version, Bytes.utf8("v3"), null));
  }

  @Test
  void collection_createdButNotYetDurable_isNotPublished() {
    CountDownLatch held = holdUpCommits();
    CompletableFuture<Table> created = engine.collection("created");
    CountDownLatch applied = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    engine
        .pipeline()
        .submit(
            Operation.of(
                commit -> {
                  applied.countDown();
                  awaitLatch(release);
                  return "written";
                }));
    held.countDown();
    awaitLatch(applied);

    assertThatThrownBy(() -> engine.knownCollection("created"))
        .isInstanceOf(KvException.Permanent.class);
    assertThatThrownBy(() -> engine.requireCollection(table.id() + 1))
        .isInstanceOf(KvException.Permanent.class);
    release.countDown();
    assertThat(engine.requireCollection(await(created).id()).name()).isEqualTo("created");
  }

  @Test
  void collection_afterAnAbandonedBatchAndARestart_hasANumberOfItsOwn() {
    CountDownLatch held = holdUpCommits();
    CompletableFuture<Table> first = engine.collection("first");
    CompletableFuture<String> dying =
        engine
            .pipeline()
            .submit(
                Operation.of(
                    commit -> {
                      throw new IllegalStateException("injected");
                    }));
    held.countDown();
    assertThatThrownBy(() -> await(dying)).isInstanceOf(KvException.Permanent.class);
    int firstId = await(first).id();
    await(engine.drop("first", 1));
    reopen();

    assertThat(await(engine.collection("second")).id()).isGreaterThan(firstId);
  }

  @Test
  void lockSpaceMove_pipelinedBehindItsFence_isRefusedWhileALockIsHeld() {
    Set<Bytes> keys = Set.of(Bytes.utf8("k"));
    await(engine.locks().tryLockAll("stock", keys, Duration.ofMinutes(1), unhurried()));
    Table space = await(engine.locks().space("stock"));
    CountDownLatch held = holdUpCommits();
    CompletableFuture<Gate.Fence> fence =
        engine.gates().fence(space, "try-1", FenceOptions.lasting(LIFETIME));
    CompletableFuture<Gate.State> move = engine.move(space, "try-1");
    held.countDown();

    await(fence);
    assertThatThrownBy(() -> await(move))
        .isInstanceOf(KvException.Transient.class)
        .hasMessageContaining("1 lock is held");
    assertThat(engine.gates().state(space).phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void lockSpaceMove_onlyLocksOfOtherSpacesAreHeld_moves() {
    Set<Bytes> keys = Set.of(Bytes.utf8("k"));
    for (String other : List.of("stoc", "stock-2", "tock")) {
      await(engine.locks().tryLockAll(other, keys, Duration.ofMinutes(1), unhurried()));
    }
    Lock renewed =
        await(engine.locks().tryLockAll("stock", keys, Duration.ofMinutes(1), unhurried()))
            .acquired()
            .iterator()
            .next();
    await(engine.locks().renew(renewed, Duration.ofSeconds(1), unhurried()));
    Table space = await(engine.locks().space("stock"));
    await(engine.gates().fence(space, "try-1", FenceOptions.lasting(LIFETIME)));
    assertThatThrownBy(() -> await(engine.move(space, "try-1")))
        .hasMessageContaining("1 lock is held");
    clock.advance(Duration.ofSeconds(2));
    assertThat(await(engine.move(space, "try-1")).phase()).isEqualTo(Phase.NEW_ONLY);
  }

  @Test
  void lockSpaceMove_manyLocksEverGranted_takesOneSeek() {
    for (int batch = 0; batch < 20; batch++) {
      Set<Bytes> keys = new HashSet<>();
      for (int i = 0; i < 1_000; i++) {
        keys.add(Bytes.utf8(batch + "/" + i));
      }
      await(engine.locks().tryLockAll("stock", keys, Duration.ofSeconds(1), unhurried()));
    }
    clock.advance(Duration.ofSeconds(2));
    Table space = await(engine.locks().space("stock"));
    await(engine.gates().fence(space, "try-1", FenceOptions.lasting(LIFETIME)));
    long begun = System.nanoTime();
    assertThat(await(engine.move(space, "try-1")).phase()).isEqualTo(Phase.NEW_ONLY);
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(1));
  }

  @Test
  void close_whileWritesWaitAtFence_refusesThem() {
    await(engine.gates().fence(table, "try-1", FenceOptions.lasting(LIFETIME)));
    CompletableFuture<Long> waiting = put("late");
    reopen();

    assertThatThrownBy(() -> await(waiting)).isInstanceOf(KvException.Transient.class);
    assertThat(engine.reads().get(table, KEY, 0)).isNull();
  }

  @Test
  void write_diskNearlyFull_isRefusedWhileReadsGoOnUntilThereIsRoom() {
    long version = await(put("v1"));
    freeBytes.set(DiskSpace.RESERVE_BYTES - 1);
    Await.until(
        "writes are refused", () -> put("v2").handle((written, error) -> error != null).join());

    assertThatThrownBy(() -> await(put("v2")))
        .isInstanceOf(KvException.Transient.class)
        .hasMessageContaining("64 MiB");
    assertThat(engine.reads().get(table, KEY, 0)).isNotNull();
    assertThat(
            await(engine.gates().fence(table, "try-1", FenceOptions.lasting(LIFETIME))).version())
        .isGreaterThan(version);
    await(engine.gates().lift(table, "try-1"));

    freeBytes.set(Long.MAX_VALUE);
    Await.until(
        "writes are taken again", () -> put("v3").handle((written, error) -> error == null).join());
    assertThat(engine.reads().get(table, KEY, 0).value()).isEqualTo(Bytes.utf8("v3"));
  }

  @Test
  void register_beforeRestart_isStillListedAfterIt() {
    await(report(0));
    reopen();

    assertThat(engine.gates().instances(table))
        .extracting(Gate.Instance::name)
        .containsExactly("instance-1");
  }

  @Test
  void tryLock_heldBeforeRestart_isBusyAndLaterGetsAHigherToken() {
    Set<Bytes> keys = Set.of(Bytes.utf8("k"));
    Duration lease = Duration.ofMinutes(1);
    Lock first =
        await(engine.locks().tryLockAll("space", keys, lease, unhurried()))
            .acquired()
            .iterator()
            .next();
    reopen();

    assertThat(await(engine.locks().tryLockAll("space", keys, lease, unhurried())).busy())
        .isEqualTo(keys);
    clock.advance(Duration.ofMinutes(2));
    Lock second =
        await(engine.locks().tryLockAll("space", keys, lease, unhurried()))
            .acquired()
            .iterator()
            .next();
    assertThat(second.token()).isGreaterThan(first.token());
    assertThatThrownBy(
            () ->
                await(
                    engine.write(
                        table, KEY, Mutation.put(Bytes.utf8("v")).withLock(first), unhurried())))
        .isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void upkeep_oldTombstones_goAndVersionedWritesBelowAreRefused() {
    long version = await(put("v"));
    await(engine.write(table, KEY, Mutation.delete(), unhurried()));
    StoreKey expired = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("expired"));
    StoreKey living = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("living"));
    Instant soon = Instant.ofEpochMilli(clock.millis() + 1_000);
    Mutation expiring = Mutation.put(Bytes.utf8("v")).withExpiry(soon);
    await(engine.write(table, expired, expiring, unhurried()));
    await(engine.write(table, living, Mutation.put(Bytes.utf8("v")), unhurried()));

    clock.advance(Duration.ofDays(9));
    engine.maintenance().run();
    assertThat(engine.reads().get(table, KEY, 0).isTombstone()).isTrue();
    assertThat(engine.reads().get(table, expired, 0).isTombstone()).isTrue();

    clock.advance(Duration.ofDays(2));
    engine.maintenance().run();
    assertThat(engine.reads().get(table, KEY, 0)).isNull();
    assertThat(engine.reads().get(table, expired, 0)).isNull();
    assertThat(engine.reads().get(table, living, 0)).isNotNull();
    reopen();
    Mutation late = Mutation.put(Bytes.utf8("late")).withVersion(version);
    assertThatThrownBy(() -> await(engine.write(table, KEY, late, unhurried())))
        .isInstanceOf(KvException.Permanent.class);
    assertThat(engine.reads().get(table, KEY, 0)).isNull();
  }

  @Test
  void upkeep_oldChanges_goAndReadingThemNamesTheOldestLeft() {
    await(put("v1"));
    await(put("v2"));
    engine.maintenance().run();
    clock.advance(Duration.ofDays(1));
    await(put("v3"));
    engine.maintenance().run();
    assertThat(engine.reads().window(table)).isEqualTo(ChangeSource.Window.of(1, 3));

    clock.advance(Duration.ofHours(25));
    engine.maintenance().run();

    assertThat(engine.reads().window(table)).isEqualTo(ChangeSource.Window.of(3, 3));
    assertThatThrownBy(() -> await(engine.changes(table, 1, 1 << 20, Duration.ZERO)))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("oldest is 3");
    assertThat(await(engine.changes(table, 2, 1 << 20, Duration.ZERO)).position()).isEqualTo(3);
  }

  @Test
  void upkeep_allChangesOld_keepsTheLastSoThatPositionsGoOn() {
    await(put("v1"));
    await(put("v2"));
    engine.maintenance().run();
    clock.advance(Duration.ofDays(3));
    engine.maintenance().run();
    reopen();
    await(put("v3"));

    assertThat(engine.reads().window(table)).isEqualTo(ChangeSource.Window.of(2, 3));
  }

  @Test
  void get_expiredRow_isTombstoneOfTheSameVersion() {
    Mutation expiring =
        Mutation.put(Bytes.utf8("v")).withExpiry(Instant.ofEpochMilli(clock.millis() + 60_000));
    long version = await(engine.write(table, KEY, expiring, unhurried()));
    assertThat(engine.reads().get(table, KEY, 0).value()).isEqualTo(Bytes.utf8("v"));

    clock.advance(Duration.ofMinutes(2));

    assertThat(engine.reads().get(table, KEY, 0)).isEqualTo(Row.tombstone(KEY, version));
  }

  private void step(long epoch, Phase phase, long acceptMin) {
    Gate.State now = engine.gates().state(table);
    Gate.State next = Gate.State.first().withEpoch(epoch).withPhase(phase).withAcceptMin(acceptMin);
    assertThat(await(engine.gates().compareAndSet(table, now, next))).isTrue();
  }

  @Test
  void compareAndSet_thenRestart_keepsTheRecord() {
    step(3, Phase.SHADOW_WRITE, 2);
    Gate.State before = engine.gates().state(table);
    reopen();
    Gate.State after = engine.gates().state(table);

    assertThat(after.epoch()).isEqualTo(3);
    assertThat(after.phase()).isEqualTo(Phase.SHADOW_WRITE);
    assertThat(after.acceptMin()).isEqualTo(2);
    assertThat(after.floor()).isZero();
    assertThat(after.incarnation()).isEqualTo(1);
    assertThat(after.versionCeiling()).isGreaterThanOrEqualTo(before.versionCeiling());
    assertThatThrownBy(() -> await(put("v"))).isInstanceOf(StalePhase.class);
  }

  @Test
  void seal_afterRestart_stillRefusesEverythingAndIsAnsweredAsBefore() {
    long last = await(put("v"));
    step(1, Phase.SHADOW_WRITE, 1);
    step(2, Phase.DUAL_WRITE, 2);
    step(3, Phase.SHADOW_READ, 3);
    step(4, Phase.NEW_READ, 4);
    step(5, Phase.NEW_PRIMARY, 5);
    Gate.State sealed = await(engine.gates().seal(table, 5));
    assertThat(sealed.floor()).isGreaterThanOrEqualTo(last);
    reopen();

    assertThat(await(engine.gates().seal(table, 5)).floor()).isEqualTo(sealed.floor());
    assertThatThrownBy(() -> engine.reads().get(table, KEY, sealed.epoch()))
        .isInstanceOf(StalePhase.class);
    assertThatThrownBy(() -> await(put("v"))).isInstanceOf(StalePhase.class);
    assertThatThrownBy(() -> await(engine.gates().reassert(table, KEY, 0, unhurried())))
        .isInstanceOf(StalePhase.class);
    assertThat(engine.reads().window(table).newest()).isEqualTo(1);
  }

  @Test
  void seal_writesGoOn_holdsTheirVersionsBackSoThatNobodyWaitsForTheFloor() {
    step(1, Phase.SHADOW_WRITE, 1);
    step(2, Phase.DUAL_WRITE, 2);
    step(3, Phase.SHADOW_READ, 3);
    step(4, Phase.NEW_READ, 4);
    step(5, Phase.NEW_PRIMARY, 5);
    long last = await(putIn(5));
    CompletableFuture<Gate.State> sealing = engine.gates().seal(table, 5);
    while (!sealing.isDone()) {
      CompletableFuture<Long> write = putIn(5);
      try {
        long version = await(write);
        long heldBack = VersionClock.micros(Instant.now()) - 500_000;
        assertThat(version).isBetween(last + 1, Math.max(last + 1, heldBack));
        last = version;
      } catch (StalePhase e) {
        break;
      }
    }
    assertThat(await(sealing).floor()).isEqualTo(last);
  }

  @Test
  void seal_refused_holdsNoVersionsBackForLong() {
    step(1, Phase.SHADOW_WRITE, 1);
    long before = await(putIn(1));
    assertThatThrownBy(() -> await(engine.gates().seal(table, 1)))
        .isInstanceOf(KvException.Permanent.class);
    clock.advance(Duration.ofMillis(2));
    assertThat(await(putIn(1))).isGreaterThanOrEqualTo(before + 2_000);
  }

  @Test
  void reassert_afterRestart_isARecordOfItsOwnInTheLog() {
    await(put("v"));
    Row reasserted = await(engine.gates().reassert(table, KEY, 0, unhurried()));
    reopen();

    assertThat(engine.reads().get(table, KEY, 0)).isEqualTo(reasserted);
    assertThat(await(engine.changes(table, 1, 1 << 20, Duration.ZERO)))
        .isEqualTo(ChangeSource.Data.of(List.of(ChangeSource.Change.of(2, reasserted)), 2));
  }

  @Test
  void instances_clockWentAheadADay_areStillListed() {
    await(report(0));
    clock.jump(Duration.ofDays(1));

    assertThat(engine.gates().instances(table))
        .extracting(Gate.Instance::name)
        .containsExactly("instance-1");
  }

  @Test
  void register_beforeRestart_keepsAnEpochItHasCertainlyAcknowledged() {
    await(report(0));
    step(1, Phase.SHADOW_WRITE, 0);
    await(report(1));
    reopen();

    assertThat(engine.gates().instances(table))
        .extracting(instance -> instance.use().acknowledged())
        .containsExactly(0L);
  }

  @Test
  void lockSpaceMove_leaseOverByTheLeadersClock_handsOver() {
    Set<Bytes> keys = Set.of(Bytes.utf8("k"));
    Duration lease = Duration.ofSeconds(10);
    Lock held =
        await(engine.locks().tryLockAll("stock", keys, lease, unhurried()))
            .acquired()
            .iterator()
            .next();
    Table space = await(engine.locks().space("stock"));
    await(engine.gates().fence(space, "try-1", FenceOptions.lasting(LIFETIME)));
    reopen();
    space = await(engine.locks().space("stock"));
    Table reopened = space;
    assertThatThrownBy(() -> await(engine.move(reopened, "try-1")))
        .isInstanceOf(KvException.Transient.class);

    clock.advance(Duration.ofSeconds(11));
    Gate.State moved = await(engine.move(space, "try-1"));
    reopen();

    assertThat(moved.floor()).isGreaterThan(held.token());
    assertThatThrownBy(() -> await(engine.locks().tryLockAll("stock", keys, lease, unhurried())))
        .isInstanceOf(StalePhase.class);
  }

  @Test
  void lockSpaceMove_renewedSinceItWasLookedAt_isTransient() {
    Set<Bytes> keys = Set.of(Bytes.utf8("k"));
    Duration lease = Duration.ofMinutes(1);
    Lock held =
        await(engine.locks().tryLockAll("stock", keys, lease, unhurried()))
            .acquired()
            .iterator()
            .next();
    Table space = await(engine.locks().space("stock"));
    await(engine.gates().fence(space, "try-1", FenceOptions.lasting(LIFETIME)));
    clock.hourLaterForNextReadingOf(
        "legacy-changes", () -> await(engine.locks().renew(held, lease, unhurried())));

    assertThatThrownBy(() -> await(engine.move(space, "try-1")))
        .isInstanceOf(KvException.Transient.class)
        .hasMessageContaining("renewed");
    assertThat(engine.gates().state(space).phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void lockSpaceMove_whileTheHolderRenews_happensOnlyOnceNoneIsHeld() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int round = 0; round < 20; round++) {
      String name = "space" + round;
      Table space = await(engine.locks().space(name));
      Duration lease = Duration.ofMillis(100);
      Lock first =
          await(engine.locks().tryLockAll(name, Set.of(KEY.main()), lease, unhurried()))
              .acquired()
              .iterator()
              .next();
      await(engine.gates().fence(space, "try", FenceOptions.lasting(LIFETIME)));
      int renewals = random.nextInt(40);
      CompletableFuture<Instant> holder =
          CompletableFuture.supplyAsync(
              () -> {
                Instant until = first.expires();
                try {
                  for (int i = 0; i < renewals; i++) {
                    until = await(engine.locks().renew(first, lease, unhurried())).expires();
                  }
                } catch (KvException lostOrMoved) {
                  return until;
                }
                return until;
              });
      Await.until("space " + name + " is moved", () -> isMoved(space));
      Instant moved = clock.instant();

      assertThat(moved).as("seed %s, round %s", seed, round).isAfterOrEqualTo(holder.join());
    }
  }

  private boolean isMoved(Table space) {
    try {
      return await(engine.move(space, "try")).phase() == Phase.NEW_ONLY;
    } catch (KvException.Transient held) {
      return false;
    }
  }

  private CompletableFuture<Gate.State> report(long acknowledged) {
    InstanceReport report =
        InstanceReport.of("instance-1", "orders")
            .withNewestPhase(Phase.NEW_ONLY)
            .withUse(table.name(), InstanceReport.Use.acknowledging(acknowledged));
    return engine.gates().report(table, report);
  }

  @Test
  void collections_beyondTheirLimit_areRefusedUntilOneIsDropped() {
    List<CompletableFuture<Table>> created = new ArrayList<>();
    for (int i = 1; i < LegacyLimits.MAX_COLLECTIONS; i++) {
      created.add(engine.collection("c" + i));
    }
    created.forEach(Stores::await);

    assertThatThrownBy(() -> await(engine.collection("one-more")))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "the store has 10000 collections, the limit is 10000: drop one that is no longer used,"
                + " or use another server");
    assertThat(await(engine.collection("c1")).name()).isEqualTo("c1");
    assertThat(await(engine.locks().space("stock"))).isNotNull();

    reopen();
    assertThatThrownBy(() -> await(engine.collection("one-more")))
        .isInstanceOf(KvException.Permanent.class);
    await(engine.drop("c1", Engine.INCARNATION));
    assertThat(await(engine.collection("one-more")).name()).isEqualTo("one-more");
  }

  @Test
  void lockSpaces_beyondTheirLimit_areRefused() {
    List<CompletableFuture<Table>> created = new ArrayList<>();
    for (int i = 0; i < LegacyLimits.MAX_LOCK_SPACES; i++) {
      created.add(engine.locks().space("s" + i));
    }
    created.forEach(Stores::await);

    assertThatThrownBy(() -> await(engine.locks().space("one-more")))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "the store has 10000 lock spaces, the limit is 10000: use an existing one; the keys of"
                + " a space are locked one by one");
    assertThat(await(engine.locks().space("s1"))).isNotNull();
    assertThat(await(engine.collection("other")).name()).isEqualTo("other");
  }

  @Test
  void positions_whileWritesGoOn_areOfChangesInTheFiles() {
    Thread writer =
        new Thread(
            () -> {
              for (int i = 0; i < 300; i++) {
                await(put("v" + i));
              }
            });
    writer.start();

    while (writer.isAlive()) {
      long newest = table.publishedPosition();
      if (newest > 0) {
        assertThat(engine.reads().changes(table, newest - 1, 1).getPosition()).isEqualTo(newest);
      }
    }
    assertThat(table.publishedPosition()).isEqualTo(300);
  }

  @Test
  void write_answered_isInTheFiles() {
    for (int i = 0; i < 300; i++) {
      long version = await(put("v" + i));
      assertThat(engine.reads().get(table, KEY, 0).version()).isEqualTo(version);
    }
  }
}
