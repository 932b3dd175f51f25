package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Event;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.ShardRule;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TransitionStoreTest {
  private static final Layout LAYOUT = Layout.range(ShardRule.none());
  private static final Bytes MAIN = Bytes.utf8("main");
  private static final String PREFER_NEW = "&prefer=new";
  private static final Duration LIFETIME = Duration.ofSeconds(30);
  private static final Duration WITHIN = Duration.ofSeconds(10);

  /** A side whose clock cannot be read while it is down. */
  private static class PausableStore extends ForwardingStore {
    private final AtomicBoolean down;

    PausableStore(Store inner, AtomicBoolean down) {
      super(inner);
      this.down = down;
    }

    @Override
    public CompletionStage<Instant> serverTime() {
      return down.get()
          ? CompletableFuture.failedFuture(new KvException.Transient("the side is down"))
          : super.serverTime();
    }

    @Override
    public List<Supplier<CompletionStage<Instant>>> serverTimes() {
      return List.of(this::serverTime);
    }
  }

  private final Queue<Event> events = new ConcurrentLinkedQueue<>();
  private final KvObserver observer = new RecordedEvents(events);

  private String name;
  private Store oldStore;
  private Store newStore;
  private StoreCollection onOld;
  private StoreCollection onNew;
  private Copy copy;
  private MemoryOptions oldOptions = MemoryOptions.defaults();
  private VersionClock versions = VersionClock.ofProcess();
  private String newParameters = "";
  private final AtomicBoolean oldIsDown = new AtomicBoolean();
  private final AtomicBoolean newIsDown = new AtomicBoolean();
  private final AtomicBoolean newHangs = new AtomicBoolean();
  private final AtomicBoolean reportDies = new AtomicBoolean();
  private final AtomicInteger reports = new AtomicInteger();
  private final CompletableFuture<StoreCollection> neverOpened = new CompletableFuture<>();
  private final Queue<CompletionStage<@Nullable Row>> newReads = new ConcurrentLinkedQueue<>();
  private final List<Integer> newReadsTogether = new CopyOnWriteArrayList<>();
  private final List<Integer> newWritesTogether = new CopyOnWriteArrayList<>();
  private final Queue<RuntimeException> oldFaults = new ConcurrentLinkedQueue<>();
  private final Queue<KvException> newWrites = new ConcurrentLinkedQueue<>();
  private final List<Long> newVersions = new CopyOnWriteArrayList<>();

  /** The old side, whose driver may fail with an error that is no KvException. */
  private final class FaultyCollection extends ForwardingCollection {
    FaultyCollection(StoreCollection inner) {
      super(inner);
    }

    @Override
    public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
      requireSound();
      return inner.get(key, call);
    }

    @Override
    public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
      CompletionStage<Long> written = inner.write(key, mutation, call);
      requireSound();
      return written;
    }

    private void requireSound() {
      RuntimeException fault = oldFaults.poll();
      if (fault != null) {
        throw fault;
      }
    }
  }

  /** The new side, whose writes fail as a test says, and succeed afterwards. */
  private final class ScriptedCollection extends ForwardingCollection {
    ScriptedCollection(StoreCollection inner) {
      super(inner);
    }

    @Override
    public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
      CompletionStage<@Nullable Row> scripted = newReads.poll();
      return scripted == null
          ? inner.get(key, call)
          : Futures.within(call, scripted, () -> new KvException.Transient("no answer"));
    }

    @Override
    public List<CompletionStage<@Nullable Row>> getAll(List<StoreKey> keys, Call call) {
      newReadsTogether.add(keys.size());
      return super.getAll(keys, call);
    }

    @Override
    public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
      newVersions.add(mutation.version());
      KvException failure = newWrites.poll();
      return failure == null
          ? inner.write(key, mutation, call)
          : CompletableFuture.failedFuture(failure);
    }

    @Override
    public Map<StoreKey, CompletionStage<Long>> writeAll(
        Map<StoreKey, Mutation> mutations, Call call) {
      newWritesTogether.add(mutations.size());
      return super.writeAll(mutations, call);
    }
  }

  @BeforeEach
  void openBothSides(TestInfo test) {
    name = test.getDisplayName().replaceAll("[^a-zA-Z]", "");
    oldStore = MemoryStoreProvider.open(name + "-old");
    newStore = MemoryStoreProvider.open(name + "-new");
    onOld = join(oldStore.open("items", LAYOUT, Claim.ACTIVE));
    copy = Copy.draw(join(onOld.changes().logId(0)));
    onNew = join(newStore.open("items", LAYOUT, Claim.importing(copy)));
    announce(copy);
  }

  @AfterEach
  void closeBothSides() {
    oldStore.close();
    newStore.close();
  }

  @Test
  void write_beforeTheMove_goesToTheOldStoreAlone() {
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT).put(key("a"), Bytes.utf8("1"));

      assertThat(value(onOld, "a")).isEqualTo("1");
      assertThat(value(onNew, "a")).isNull();
    }
  }

  @Test
  void write_afterTheMove_goesToTheNewStoreAloneAboveTheFloor() {
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      items.put(key("a"), Bytes.utf8("1"));
      Gate.State moved = move();

      items.put(key("a"), Bytes.utf8("2"));

      assertThat(items.get(key("a"))).contains(Bytes.utf8("2"));
      assertThat(value(onNew, "a")).isEqualTo("2");
      Row row = row(onNew, "a");
      assertThat(row).isNotNull();
      assertThat(row.version()).isGreaterThan(moved.floor());
    }
  }

  @Test
  void getAll_ofOneMainKey_readsTogetherOnceNoStepCanCome() {
    List<Key> keys = List.of(key("a"), key("b"), key("c"));
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      items.put(key("b"), Bytes.utf8("1"));
      awaitReady();
      assertThat(items.getAll(keys).values())
          .extracting(outcome -> outcome.orThrow().map(Bytes::toUtf8).orElse("none"))
          .containsExactly("none", "1", "none");
      assertThat(newReadsTogether).isEmpty();
      move();
      items.put(key("a"), Bytes.utf8("2"));

      newReads.add(CompletableFuture.failedFuture(new KvException.Transient("busy")));
      Map<Key, Outcome<Optional<Bytes>>> outcomes = items.getAll(keys);

      assertThat(newReadsTogether).containsExactly(3);
      assertThatThrownBy(() -> outcomes.get(key("a")).orThrow())
          .isExactlyInstanceOf(KvException.Transient.class);
      assertThat(outcomes.get(key("b"))).isEqualTo(Outcome.ok(Optional.empty()));
      assertThat(items.getAll(keys).get(key("a")))
          .isEqualTo(Outcome.ok(Optional.of(Bytes.utf8("2"))));
    }
  }

  @Test
  void putAll_ofOneMainKey_writesTogetherOnceNoStepCanCome() {
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    List.of("a", "b", "c").forEach(each -> entries.put(key(each), Bytes.utf8("1")));
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      awaitReady();
      items.putAll(entries).values().forEach(Outcome::orThrow);
      assertThat(value(onOld, "c")).isEqualTo("1");
      assertThat(newWritesTogether).isEmpty();
      Gate.State moved = move();
      items.put(key("d"), Bytes.utf8("1"));
      entries.replaceAll((key, value) -> Bytes.utf8("2"));

      newVersions.clear();
      newWrites.add(new KvException.UnknownOutcome("no answer"));
      newWrites.add(new KvException.Permanent("no permission"));
      Map<Key, Outcome<@Nullable Void>> outcomes = items.putAll(entries);

      assertThat(newWritesTogether).containsExactly(3);
      assertThat(outcomes.get(key("a"))).isEqualTo(Outcome.<@Nullable Void>ok(null));
      assertThatThrownBy(() -> outcomes.get(key("b")).orThrow())
          .isExactlyInstanceOf(KvException.Permanent.class);
      assertThat(outcomes.get(key("c"))).isEqualTo(Outcome.<@Nullable Void>ok(null));
      assertThat(newVersions).hasSize(4).allMatch(version -> version > moved.floor());
      assertThat(newVersions.get(3)).isEqualTo(newVersions.get(0));
      assertThat(Set.copyOf(newVersions)).hasSize(3);
      assertThat(value(onNew, "a")).isEqualTo("2");
      assertThat(value(onNew, "b")).isNull();
      assertThat(row(onNew, "c").version()).isEqualTo(newVersions.get(2));
    }
  }

  @Test
  void write_thatWaitsAtTheFence_endsOnTheNewStoreWhenTheCollectionMoves() {
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      fence();

      CompletableFuture<Void> write =
          items
              .async()
              .put(key("a"), Bytes.utf8("waited"), WriteOptions.none())
              .toCompletableFuture();
      assertThat(write).isNotDone();
      Gate.State moved = join(onOld.gate().move("attempt"));
      join(newStore.activate("items", copy, moved.floor()));

      write.orTimeout(10, TimeUnit.SECONDS).join();
      assertThat(value(onNew, "a")).isEqualTo("waited");
      assertThat(join(onOld.get(storeKey("a"), call().withEpoch(moved.epoch())))).isNull();
    }
  }

  @Test
  void write_thatWaitsAtTheFence_endsOnTheOldStoreWhenTheFenceIsLifted() {
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      fence();

      CompletableFuture<Void> write =
          items
              .async()
              .put(key("a"), Bytes.utf8("waited"), WriteOptions.none())
              .toCompletableFuture();
      join(onOld.gate().lift("attempt"));

      write.orTimeout(10, TimeUnit.SECONDS).join();
      assertThat(value(onOld, "a")).isEqualTo("waited");
    }
  }

  @Test
  void getRange_begunOnTheOldStore_endsOnTheNewOne() {
    for (String each : List.of("a", "b", "c")) {
      join(onOld.write(storeKey(each), mutation(each, 10), call()));
      join(onNew.write(storeKey(each), mutation(each, 10), call()));
    }
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      RangePage first = items.getRange(MAIN, Range.all(), PageLimit.entries(1));
      Continuation next = first.next();
      move();

      RangePage rest = items.getRange(MAIN, Range.all(), PageLimit.entries(10), next);

      assertThat(first.entries()).extracting(Entry::value).containsExactly(Bytes.utf8("a"));
      assertThat(rest.entries())
          .extracting(Entry::value)
          .containsExactly(Bytes.utf8("b"), Bytes.utf8("c"));
      assertThat(rest.stop()).isEqualTo(RangePage.Stop.END);
    }
  }

  @Test
  void service_withTheNewStoreDown_isServedByTheOldOne() {
    newIsDown.set(true);
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      items.put(key("a"), Bytes.utf8("1"));
      assertThat(items.get(key("a"))).contains(Bytes.utf8("1"));
    }
  }

  @Test
  void open_afterTheMoveWithTheOldStoreDown_isServedByTheNewOne() {
    move();
    oldIsDown.set(true);
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      items.put(key("a"), Bytes.utf8("1"));
      assertThat(value(onNew, "a")).isEqualTo("1");
    }
  }

  @Test
  void open_beforeTheMoveWithTheOldStoreDown_failsAsTheOldStoreDoes() {
    oldIsDown.set(true);
    try (KvStore service = connect()) {
      assertThatThrownBy(() -> service.collection("items", LAYOUT))
          .isExactlyInstanceOf(KvException.Transient.class)
          .hasMessageContaining("old is down");
    }
  }

  @Test
  void write_onTheNewStoreWithAClockASecondAhead_isRefusedAndNotApplied() {
    versions = new VersionClock(Clock.offset(Clock.systemUTC(), Duration.ofSeconds(1)));
    move();
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      CompletableFuture<Void> write =
          items.async().put(key("a"), Bytes.utf8("1"), WriteOptions.none()).toCompletableFuture();
      assertThatThrownBy(() -> write.orTimeout(30, TimeUnit.SECONDS).join())
          .hasCauseExactlyInstanceOf(KvException.Transient.class)
          .hasMessageContaining("clock");
      assertThat(value(onNew, "a")).isNull();
    }
  }

  @Test
  void instance_thatHasOpenedACollection_isRegisteredAtTheLeader() {
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT);
      assertThat(join(onOld.gate().instances())).hasSize(1);
    }
  }

  @Test
  void open_oldStoreDownAndNewOneNeverMigrated_failsAsTheOldStoreDoes() {
    join(newStore.open("other", LAYOUT, Claim.ACTIVE));
    oldIsDown.set(true);
    try (KvStore service = connect()) {
      assertThatThrownBy(() -> service.collection("other", LAYOUT))
          .isExactlyInstanceOf(KvException.Transient.class)
          .hasMessageContaining("old is down");
    }
  }

  @Test
  void open_leaderBackFromAnOlderState_isServedByTheNewOne() {
    join(newStore.activate("items", copy, 1_000));
    assertThat(join(onOld.gate().state()).phase()).isEqualTo(Phase.LEGACY);
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT).put(key("a"), Bytes.utf8("1"));
      assertThat(value(onNew, "a")).isEqualTo("1");
      assertThat(value(onOld, "a")).isNull();
    }
  }

  @Test
  void open_newSideHandedOverFromAnotherSource_isServedByTheOldOne() {
    Copy unrelated = Copy.draw("another-log");
    join(newStore.restart("items", LAYOUT, copy, unrelated));
    join(newStore.activate("items", unrelated, 1_000));
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT).put(key("a"), Bytes.utf8("1"));
      assertThat(value(onOld, "a")).isEqualTo("1");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void write_newSideHoldsAnotherCopy_isRefusedAndNotSent(boolean isSinceItWasOpened) {
    newIsDown.set(!isSinceItWasOpened);
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      if (isSinceItWasOpened) {
        awaitReady();
      }
      newIsDown.set(false);
      Copy unrelated = Copy.draw("another-log");
      join(newStore.restart("items", LAYOUT, copy, unrelated));
      StoreCollection impostor = join(newStore.open("items", LAYOUT, Claim.importing(unrelated)));
      FenceOptions regardless = FenceOptions.lasting(LIFETIME).givingUp(Set.of("test"));
      join(onOld.gate().fence("attempt", regardless));
      join(onOld.gate().move("attempt"));

      assertThatThrownBy(() -> items.put(key("a"), Bytes.utf8("1")))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining(copy.toString())
          .hasMessageContaining(unrelated.toString());
      assertThat(value(impostor, "a")).isNull();
    }
  }

  @Test
  void write_gateNamesNoCopy_isRefusedAndNotSent() {
    announce(null);
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      join(onOld.gate().fence("attempt", FenceOptions.lasting(LIFETIME)));
      join(onOld.gate().move("attempt"));

      assertThatThrownBy(() -> items.put(key("a"), Bytes.utf8("1")))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("copy null");
      assertThat(value(onNew, "a")).isNull();
    }
  }

  @Test
  void fence_instanceWhoseNewSideHoldsAnotherCopy_isRefusedNamingBoth() {
    Copy unrelated = Copy.draw("another-log");
    join(newStore.restart("items", LAYOUT, copy, unrelated));
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT);
      awaitObstacle("names copy " + copy, unrelated.toString());
      assertFenceIsRefused();
    }
  }

  @Test
  void fence_instanceWhoseNewSideIsDown_isRefusedUntilItIsBack() {
    newIsDown.set(true);
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT);
      awaitObstacle("new is down");
      assertFenceIsRefused();
      newIsDown.set(false);
      fence();
    }
  }

  @Test
  void fence_instanceOfAnOlderLibrary_isRefusedNamingItUntilItIsGone() {
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT);
      awaitReady();
      InstanceReport older =
          InstanceReport.of("instance", "billing")
              .withLibrary("0.9")
              .withNewestPhase(Phase.DUAL_WRITE)
              .withUse("items", InstanceReport.Use.acknowledging(0));
      join(oldStore.report(older));
      assertThat(
              Await.failure(
                  InstancesNotReady.class,
                  () -> onOld.gate().fence("attempt", FenceOptions.lasting(LIFETIME))))
          .hasMessageContaining("billing")
          .hasMessageContaining("its library 0.9 knows no phase above");
      Await.until("the older instance is gone", () -> join(onOld.gate().instances()).size() == 1);
      fence();
    }
  }

  @Test
  void fence_instanceWithAnotherLayoutThanTheCopy_isRefusedNamingBoth() {
    oldOptions = oldOptions.without(Capability.METADATA);
    try (KvStore service = connect()) {
      Layout other = Layout.range(ShardRule.firstBits(4));
      service.collection("items", other);
      awaitObstacle(LAYOUT.toString(), other.toString());
      assertFenceIsRefused();
    }
  }

  @Test
  void fence_instanceThatReadsAtOneReplica_isRefusedNamingIt() {
    newParameters = "%3Fconsistency%3DONE";
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT);
      awaitObstacle("new=", "consistency=ONE");
      assertFenceIsRefused();
    }
    newParameters = "%3Fconsistency%3DLOCAL_QUORUM";
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT);
      awaitReady();
    }
  }

  @Test
  void fence_instanceWithAClockASecondAhead_isRefused() {
    versions = new VersionClock(Clock.offset(Clock.systemUTC(), Duration.ofSeconds(1)));
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT);
      awaitObstacle("its clock is");
      assertFenceIsRefused();
    }
  }

  @Test
  void open_sameNameAgain_isTheSameCollectionAndOneLayout() {
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT);
      service.collection("items", LAYOUT);
      assertThatThrownBy(() -> service.collection("items", Layout.range(ShardRule.firstBits(4))))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("one layout");
      assertThat(join(onOld.gate().instances())).hasSize(1);
    }
  }

  private void awaitObstacle(String... words) {
    Await.until(
        "an instance is not ready for the reason " + List.of(words),
        () ->
            join(onOld.gate().instances()).stream()
                .map(one -> one.report().obstacle("items", Phase.NEW_ONLY, copy))
                .anyMatch(why -> why != null && List.of(words).stream().allMatch(why::contains)));
  }

  private void assertFenceIsRefused() {
    Await.failure(
        InstancesNotReady.class,
        () -> onOld.gate().fence("attempt", FenceOptions.lasting(LIFETIME)));
  }

  @Test
  void ping_beforeACollectionIsOpen_needsTheOldSideOrAMovedCollection() {
    newIsDown.set(true);
    try (KvStore service = connect()) {
      service.ping(WITHIN);
    }
    newIsDown.set(false);
    oldIsDown.set(true);
    try (KvStore service = connect()) {
      assertThatThrownBy(() -> service.ping(WITHIN))
          .isExactlyInstanceOf(KvException.Transient.class)
          .hasMessage("old is down");
    }
    oldIsDown.set(false);
    move();
    oldIsDown.set(true);
    try (KvStore service = connect()) {
      service.ping(WITHIN);
    }
  }

  @Test
  void ping_collectionInLegacy_needsTheOldSideAlone() {
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT);
      newIsDown.set(true);
      service.ping(WITHIN);
      oldIsDown.set(true);
      assertThatThrownBy(() -> service.ping(WITHIN))
          .isExactlyInstanceOf(KvException.Transient.class);
    }
  }

  @Test
  void ping_collectionInNewOnly_needsTheNewSideAlone() {
    move();
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT);
      oldIsDown.set(true);
      service.ping(WITHIN);
      newIsDown.set(true);
      assertThatThrownBy(() -> service.ping(WITHIN))
          .isExactlyInstanceOf(KvException.Transient.class);
    }
  }

  @Test
  void ping_newSideIsNeededButNotOpen_isTransientUntilItIs() {
    newHangs.set(true);
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      join(onOld.gate().fence("attempt", FenceOptions.lasting(LIFETIME).givingUp(Set.of("test"))));
      join(onOld.gate().move("attempt"));
      assertThatThrownBy(
              () ->
                  items.put(
                      key("a"), Bytes.utf8("1"), WriteOptions.timeout(Duration.ofMillis(300))))
          .isInstanceOf(KvException.Transient.class);
      assertThatThrownBy(() -> service.ping(Duration.ofMillis(300)))
          .isExactlyInstanceOf(KvException.Transient.class);
      newHangs.set(false);
      neverOpened.completeExceptionally(new KvException.Transient("gave up"));
      service.ping(WITHIN);
    }
  }

  @Test
  void observer_throughTheMove_hearsPhasesAndTheClock() {
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      move();
      items.put(key("a"), Bytes.utf8("1"));
    }
    assertThat(events)
        .filteredOn(event -> event.kind() == Event.Kind.PHASE)
        .extracting(Event::collection, Event::detail)
        .containsExactly(tuple("items", "legacy"), tuple("items", "new-only"));
    assertThat(events)
        .filteredOn(event -> event.kind() == Event.Kind.SKEW)
        .isNotEmpty()
        .allSatisfy(
            event -> {
              assertThat(event.detail()).isEqualTo("new");
              assertThat(event.duration()).isLessThan(VersionClock.SKEW_LIMIT);
            });
    assertThat(events).noneMatch(event -> event.kind() == Event.Kind.SIDE_FAILURE);
  }

  @Test
  void observer_newSideDown_hearsItsFailure() {
    newIsDown.set(true);
    move();
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      assertThatThrownBy(() -> items.get(key("a")))
          .isExactlyInstanceOf(KvException.Transient.class);
    }
    assertThat(events)
        .filteredOn(event -> event.kind() == Event.Kind.SIDE_FAILURE)
        .isNotEmpty()
        .allSatisfy(
            event -> {
              assertThat(event.detail()).isEqualTo("new");
              assertThat(event.error()).hasMessage("new is down");
            });
  }

  @Test
  void instance_driverDiesInAReport_goesOnReporting() {
    try (KvStore service = connect()) {
      service.collection("items", LAYOUT);
      reportDies.set(true);
      Await.until("a report has died", () -> !reportDies.get());
      int before = reports.get();
      Await.until("another report was sent", () -> reports.get() > before);
    }
  }

  @Test
  void write_unknownThenRefused_isUnknown() {
    newWrites.add(new KvException.UnknownOutcome("no answer"));
    newWrites.add(new KvException.Permanent("no permission"));
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      move();
      assertThatThrownBy(() -> items.put(key("a"), Bytes.utf8("1")))
          .isInstanceOf(KvException.UnknownOutcome.class)
          .hasMessageContaining("may have been applied");
    }
  }

  @Test
  void write_failedBeforeItWasSent_isRefusedAsSuch() {
    newWrites.add(new KvException.Transient("busy"));
    newWrites.add(new KvException.Permanent("no permission"));
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      move();
      assertThatThrownBy(() -> items.put(key("a"), Bytes.utf8("1")))
          .isExactlyInstanceOf(KvException.Permanent.class);
    }
  }

  @Test
  void write_oldDriverFailsUnexpectedly_isUnknown() {
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      oldFaults.add(new IllegalStateException("a fault"));
      assertThatThrownBy(() -> items.put(key("a"), Bytes.utf8("1")))
          .isExactlyInstanceOf(KvException.UnknownOutcome.class);
      assertThat(value(onOld, "a")).isEqualTo("1");
      oldFaults.add(new IllegalStateException("a fault"));
      assertThatThrownBy(() -> items.get(key("a")))
          .isExactlyInstanceOf(KvException.Permanent.class);
      Gate.State moved = move();
      assertThat(moved.phase()).isEqualTo(Phase.NEW_ONLY);
    }
  }

  @Test
  void write_repeated_keepsItsVersion() {
    newWrites.add(new KvException.UnknownOutcome("no answer"));
    newWrites.add(new KvException.Transient("busy"));
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      move();
      items.put(key("a"), Bytes.utf8("1"));
      assertThat(newVersions).hasSize(3);
      assertThat(Set.copyOf(newVersions)).hasSize(1);
      assertThat(row(onNew, "a").version()).isEqualTo(newVersions.get(0));
    }
  }

  @Test
  void write_leaderAhead_waitsUntilTheClockHasPassedTheFloor() {
    Duration ahead = Duration.ofMillis(900);
    restartOldSide(MemoryOptions.defaults().withClock(Clock.offset(Clock.systemUTC(), ahead)));
    versions = new VersionClock(Clock.systemUTC());
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      Gate.State moved = move();
      items.put(key("a"), Bytes.utf8("1"));
      assertThat(newVersions).hasSize(1);
      assertThat(newVersions.get(0)).isGreaterThan(moved.floor());
    }
  }

  @Test
  void write_newSideDoesNotOpen_endsAtItsDeadline() {
    newHangs.set(true);
    try (KvStore service = connect()) {
      KvCollection items = service.collection("items", LAYOUT);
      join(onOld.gate().fence("attempt", FenceOptions.lasting(LIFETIME).givingUp(Set.of("test"))));
      join(onOld.gate().move("attempt"));
      assertThatThrownBy(
              () ->
                  items.put(
                      key("a"), Bytes.utf8("1"), WriteOptions.timeout(Duration.ofMillis(300))))
          .isInstanceOf(KvException.Transient.class)
          .hasMessageContaining("nothing was sent");
      newHangs.set(false);
      neverOpened.completeExceptionally(new KvException.Transient("gave up"));
      items.put(key("a"), Bytes.utf8("1"));
    }
  }

  @Test
  void reader_importing_readsFromTheOldSideAndWritesNothing() {
    join(onOld.write(storeKey("a"), mutation("old", 10), call()));
    join(onNew.write(storeKey("a"), mutation("new", 10), call()));
    openToReaders();
    try (KvStore service = connect("", StoreOptions.defaults().readOnly())) {
      KvCollection items = service.collection("items", LAYOUT);
      assertThat(items.get(key("a"))).contains(Bytes.utf8("old"));
      assertThatThrownBy(() -> items.put(key("a"), Bytes.utf8("mine")))
          .isExactlyInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("opened for reading");
      move();
      assertThat(items.get(key("a"))).contains(Bytes.utf8("new"));
      assertThatThrownBy(() -> items.put(key("a"), Bytes.utf8("mine")))
          .isExactlyInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("opened for reading");
      assertThat(value(onNew, "a")).isEqualTo("new");
    }
  }

  @Test
  void reader_prefersNew_readsThereOnceItHasCaughtUp() {
    join(onOld.write(storeKey("a"), mutation("old", 10), call()));
    join(onNew.write(storeKey("a"), mutation("new", 10), call()));
    try (KvStore service = connect(PREFER_NEW, StoreOptions.defaults().readOnly())) {
      KvCollection items = service.collection("items", LAYOUT);
      awaitReady();
      assertThat(items.get(key("a"))).contains(Bytes.utf8("old"));
      openToReaders();
      Await.until(
          "the new side answers", () -> items.get(key("a")).equals(Optional.of(Bytes.utf8("new"))));
      assertThat(items.getRange(MAIN, Range.all(), PageLimit.entries(10)).entries())
          .extracting(Entry::value)
          .containsExactly(Bytes.utf8("new"));
    }
  }

  @Test
  void reader_preferredNewSideFails_isServedByTheOldOne() {
    join(onOld.write(storeKey("a"), mutation("old", 10), call()));
    join(onNew.write(storeKey("a"), mutation("new", 10), call()));
    openToReaders();
    try (KvStore service = connect(PREFER_NEW, StoreOptions.defaults().readOnly())) {
      KvCollection items = service.collection("items", LAYOUT);
      Await.until(
          "the new side answers", () -> items.get(key("a")).equals(Optional.of(Bytes.utf8("new"))));
      newReads.add(CompletableFuture.failedFuture(new KvException.Transient("busy")));
      assertThat(items.get(key("a"))).contains(Bytes.utf8("old"));
      newReads.add(new CompletableFuture<>());
      assertThat(items.get(key("a"), ReadOptions.timeout(Duration.ofSeconds(1))))
          .contains(Bytes.utf8("old"));
      assertThat(items.get(key("a"))).contains(Bytes.utf8("new"));
    }
  }

  @Test
  void reader_preferredCopyBegunAgain_neverReadsTheDroppedOneAndFollows() {
    join(onOld.write(storeKey("a"), mutation("old", 10), call()));
    join(onNew.write(storeKey("a"), mutation("given up", 10), call()));
    openToReaders();
    try (KvStore service = connect(PREFER_NEW, StoreOptions.defaults().readOnly())) {
      KvCollection items = service.collection("items", LAYOUT);
      Await.until(
          "the first copy answers",
          () -> items.get(key("a")).equals(Optional.of(Bytes.utf8("given up"))));
      Copy next = Copy.draw(copy.source());
      join(newStore.restart("items", LAYOUT, copy, next));
      join(newStore.drop("items", 1));
      assertThat(items.get(key("a"))).contains(Bytes.utf8("old"));
      copy = next;
      announce(next);
      onNew = join(newStore.open("items", LAYOUT, Claim.importing(next)));
      join(onNew.write(storeKey("a"), mutation("new", 10), call()));
      openToReaders();
      Await.until(
          "the next copy answers",
          () -> {
            Optional<Bytes> value = items.get(key("a"));
            assertThat(value).isNotEqualTo(Optional.of(Bytes.utf8("given up")));
            return value.equals(Optional.of(Bytes.utf8("new")));
          });
    }
  }

  @Test
  void reader_preferredCopyNotNamedAnyMore_isServedByTheOldSide() {
    join(onOld.write(storeKey("a"), mutation("old", 10), call()));
    join(onNew.write(storeKey("a"), mutation("given up", 10), call()));
    openToReaders();
    try (KvStore service = connect(PREFER_NEW, StoreOptions.defaults().readOnly())) {
      KvCollection items = service.collection("items", LAYOUT);
      Await.until(
          "the new side answers",
          () -> items.get(key("a")).equals(Optional.of(Bytes.utf8("given up"))));
      announce(null);
      Await.until(
          "the old side answers", () -> items.get(key("a")).equals(Optional.of(Bytes.utf8("old"))));
    }
  }

  @Test
  void open_writerThatPrefersNew_isRefused() {
    try (KvStore service = connect(PREFER_NEW, StoreOptions.defaults())) {
      assertThatThrownBy(() -> service.collection("items", LAYOUT))
          .isExactlyInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("add access=read");
    }
  }

  private void openToReaders() {
    join(CollectionRecord.openToReaders(newStore.metadata(), "items", copy));
  }

  /** Replaces the old side by a new one with other options. */
  private void restartOldSide(MemoryOptions options) {
    oldStore.close();
    oldOptions = options;
    oldStore = MemoryStoreProvider.open(name + "-old", options);
    onOld = join(oldStore.open("items", LAYOUT, Claim.ACTIVE));
    Copy fresh = Copy.draw(join(onOld.changes().logId(0)));
    join(newStore.restart("items", LAYOUT, copy, fresh));
    copy = fresh;
    onNew = join(newStore.open("items", LAYOUT, Claim.importing(copy)));
    announce(copy);
  }

  private void announce(@Nullable Copy named) {
    Gate.State now = join(onOld.gate().state());
    assertThat(join(onOld.gate().compareAndSet(now, now.withCopy(named)))).isTrue();
  }

  /** Waits until every instance has reported that it can follow. */
  private void awaitReady() {
    Await.until(
        "every instance is ready",
        () ->
            join(onOld.gate().instances()).stream()
                .allMatch(one -> one.report().obstacle("items", Phase.NEW_ONLY, copy) == null));
  }

  private void fence() {
    awaitReady();
    join(onOld.gate().fence("attempt", FenceOptions.lasting(LIFETIME)));
  }

  private Gate.State move() {
    fence();
    Gate.State moved = join(onOld.gate().move("attempt"));
    join(newStore.activate("items", copy, moved.floor()));
    return moved;
  }

  private KvStore connect() {
    return connect("", StoreOptions.defaults());
  }

  private KvStore connect(String parameters, StoreOptions options) {
    ConnectionString string =
        ConnectionString.parse(
            "transition://test?old=memory%3A%2F%2Fold&new=memory%3A%2F%2Fnew"
                + newParameters
                + parameters);
    return KvStore.over(
        new TransitionProvider()
            .open(
                string,
                new StoreProvider.Context() {
                  @Override
                  public Store open(ConnectionString nested) {
                    String side = nested.hosts().get(0).name();
                    if ((side.equals("old") ? oldIsDown : newIsDown).get()) {
                      throw new KvException.Transient(side + " is down");
                    }
                    return new PausableStore(
                        MemoryStoreProvider.open(
                            name + "-" + side,
                            side.equals("old") ? oldOptions : MemoryOptions.defaults()),
                        side.equals("old") ? oldIsDown : newIsDown) {
                      @Override
                      protected StoreCollection wrap(StoreCollection collection) {
                        return side.equals("old")
                            ? new FaultyCollection(collection)
                            : new ScriptedCollection(collection);
                      }

                      @Override
                      public CompletionStage<Map<String, Gate.State>> report(
                          InstanceReport report) {
                        if (reportDies.getAndSet(false)) {
                          throw new NoClassDefFoundError("dev/kvshift/Missing");
                        }
                        reports.incrementAndGet();
                        return super.report(report);
                      }

                      @Override
                      public CompletionStage<StoreCollection> open(
                          String collection, Layout layout, Claim claim) {
                        return side.equals("new") && newHangs.get()
                            ? neverOpened
                            : super.open(collection, layout, claim);
                      }
                    };
                  }

                  @Override
                  public KvObserver observer() {
                    return observer;
                  }

                  @Override
                  public VersionClock clock() {
                    return versions;
                  }
                }),
        options);
  }

  private static Mutation mutation(String value, long version) {
    return Mutation.put(Bytes.utf8(value)).withVersion(version);
  }

  private static String value(StoreCollection collection, String clustering) {
    Row row = row(collection, clustering);
    Bytes value = row == null ? null : row.value();
    return value == null ? null : value.toUtf8();
  }

  private static Row row(StoreCollection collection, String clustering) {
    return join(collection.get(storeKey(clustering), call()));
  }

  private static Key key(String clustering) {
    return Key.of(MAIN, Bytes.utf8(clustering));
  }

  private static StoreKey storeKey(String clustering) {
    return StoreKey.of(MAIN, Bytes.utf8(clustering));
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }
}
