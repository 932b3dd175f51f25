package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver.Event;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.oracle.RegisterHistory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The time in clock order after a leader's move, the way back, and the end of it: protocol, 12. */
final class ClockEraTest {
  private static final Bytes ONE = Bytes.utf8("one");
  private static final Bytes TWO = Bytes.utf8("two");
  private static final Key KEY = Key.of(Bytes.utf8("main"), Bytes.utf8("key"));
  private static final StoreKey STORE_KEY = StoreKey.of(KEY.main(), KEY.clustering());

  private final TwoStores stores = new TwoStores();
  private final Gate leader = stores.onOld.gate();
  private final List<Store> services = new ArrayList<>();
  private Copy copy = stores.copy;
  private StoreCollection onNew = stores.onNew;

  /** The old store as services see it, which stops answering if a test says so. */
  private final AtomicBoolean oldIsDown = new AtomicBoolean();

  @AfterEach
  void close() {
    oldIsDown.set(false);
    services.forEach(Store::close);
    stores.close();
  }

  @Test
  void write_afterTheMove_isAcknowledgedByTheNewSideAndFollowedByTheOld() {
    KvCollection items = connect("service");
    items.put(KEY, ONE);
    State moved = move();
    assertThat(moved.phase()).isEqualTo(Phase.NEW_PRIMARY);
    items.put(KEY, TWO);
    Row put = Objects.requireNonNull(read(onNew));
    assertThat(put.value()).isEqualTo(TWO);
    assertThat(put.version()).isGreaterThan(moved.floor());
    Await.until("the old side has followed", () -> put.equals(read(stores.onOld)));
    items.delete(KEY);
    Row deleted = Objects.requireNonNull(read(onNew));
    assertThat(deleted.isTombstone()).isTrue();
    Await.until("the old side has followed", () -> deleted.equals(read(stores.onOld)));
    assertThat(items.get(KEY)).isEmpty();
  }

  @Test
  void write_clientOfTheOldStoreAlone_isRefused() {
    move();
    for (Mutation mutation : List.of(Mutation.put(ONE), Mutation.put(ONE).withVersion(1L))) {
      assertThat(
              Await.failure(
                  StalePhase.class, () -> stores.onOld.write(STORE_KEY, mutation, call(0))))
          .matches(StalePhase::isClockOrdered);
    }
    assertThat(read(stores.onOld)).isNull();
  }

  @Test
  void write_currentEpochWithoutAVersion_isRefused() {
    State moved = move();
    Await.failure(
        StalePhase.class,
        () -> stores.onOld.write(STORE_KEY, Mutation.put(ONE), call(moved.epoch())));
  }

  @Test
  void service_oldStoreDown_goesOnAndStartsWithoutIt() {
    KvCollection items = connect("service");
    State moved = move();
    items.put(KEY, ONE);
    oldIsDown.set(true);
    items.put(KEY, TWO);
    assertThat(items.get(KEY)).contains(TWO);
    KvCollection late = connect("late");
    assertThat(late.get(KEY)).contains(TWO);
    late.delete(KEY);
    assertThat(items.get(KEY)).isEmpty();
    assertThat(instances()).hasSize(2);
    assertThat(read(stores.onOld)).isNotEqualTo(read(onNew));

    oldIsDown.set(false);
    assertThat(Objects.requireNonNull(back()).toOld()).isEqualTo(1);
    Row deleted = Objects.requireNonNull(read(stores.onOld));
    assertThat(deleted.isTombstone()).isTrue();
    assertThat(deleted.version()).isGreaterThan(moved.floor());
    late.put(KEY, ONE);
    assertThat(items.get(KEY)).contains(ONE);
    assertThat(Objects.requireNonNull(read(stores.onOld)).version())
        .isGreaterThan(deleted.version());
  }

  @Test
  void goBack_again_doesNothing() {
    connect("service").put(KEY, ONE);
    move();
    assertThat(back()).isNotNull();
    State led = join(leader.state());
    assertThat(back()).isNull();
    assertThat(join(leader.state())).isEqualTo(led);
  }

  @Test
  void goBack_diedAfterEachRequest_isCompletedByTheNext() {
    KvCollection items = connect("service");
    move();
    items.put(KEY, TWO);
    oldIsDown.set(true);
    items.put(KEY, ONE);
    oldIsDown.set(false);
    for (int stopped = 0; stopped < 2; stopped++) {
      int at = stopped;
      assertThatThrownBy(
              () ->
                  era()
                      .goBack(
                          (pass, merged) -> {
                            if (at == 1) {
                              pass.run();
                              MetadataGate gate = MetadataGate.of(stores.newStore, TwoStores.ITEMS);
                              join(gate.close(join(gate.state()).epoch()));
                            }
                            throw new KvException.Transient("died");
                          }))
          .hasMessage("died");
      assertThat(items.get(KEY)).contains(ONE);
    }
    assertThatThrownBy(() -> era().finish()).hasMessageContaining("goes back to its leader");
    assertThat(back()).isNotNull();
    assertThat(items.get(KEY)).contains(ONE);
    assertThat(Objects.requireNonNull(read(stores.onOld)).value()).isEqualTo(ONE);
  }

  @Test
  void goBack_writeStillOnItsWay_isOfUnknownOutcomeAndNeverSeen() {
    KvCollection items = connect("service");
    State moved = move();
    items.put(KEY, ONE);
    Await.until("the old side has followed", () -> read(stores.onOld) != null);
    stores.events.clear();
    CompletableFuture<?> held = new CompletableFuture<>();
    stores.toNew.writesHeld = held;
    CompletionStage<?> put = items.async().put(KEY, TWO);
    MetadataGate gate = MetadataGate.of(stores.newStore, TwoStores.ITEMS);
    long merge = moved.epoch() + 1;
    State era = join(gate.state());
    Await.until(
        "the step past everybody",
        () ->
            join(
                gate.compareAndSet(
                    era, era.withEpoch(merge).withPhase(Phase.NEW_READ).withAcceptMin(merge))));
    leadAgain(gate, merge);
    stores.toNew.writesHeld = CompletableFuture.completedFuture(null);
    held.complete(null);
    Await.failure(KvException.UnknownOutcome.class, () -> put);
    assertThat(items.get(KEY)).contains(ONE);
  }

  @Test
  void goBack_readerThatHasNotHeardOfTheMove_neverReadsTheNewSideAlone() {
    KvCollection items = connect("service");
    TwoStores.Requests cut = new TwoStores.Requests();
    try (KvStore unaware = stores.connect("unaware", cut, stores.toNew)) {
      KvCollection late = unaware.collection(TwoStores.ITEMS, TwoStores.LAYOUT);
      keepWayBack();
      State last =
          Coordinator.of(TwoStores.ITEMS, leader).moveTo(Phase.NEW_PRIMARY, TwoStores.PATIENCE);
      late.put(KEY, ONE);
      CompletableFuture<?> held = new CompletableFuture<>();
      cut.reportsHeld = held;
      join(leader.seal(last.epoch()));
      assertThat(late.get(KEY)).contains(ONE);
      ClockEra.of(stores.onOld, stores.newStore, TwoStores.PATIENCE, line -> {})
          .goBack((pass, merged) -> pass.run());
      items.put(KEY, TWO);
      CompletionStage<Optional<Bytes>> read = late.async().get(KEY);
      held.complete(null);
      assertThat(join(read)).contains(TWO);
    }
  }

  @Test
  void goBack_keyThatIsMarkedAsBackFilled_isReadFromBothSides() {
    KvCollection items = connect("service");
    move();
    items.put(KEY, ONE);
    int reads = 50;
    era()
        .goBack(
            (pass, merged) -> {
              join(
                  join(BackFilledKeys.create(stores.newStore, copy))
                      .add(KEY.main(), merged.epoch(), TwoStores.call()));
              stores.toOld.forget();
              for (int i = 0; i < reads; i++) {
                assertThat(items.get(KEY)).contains(ONE);
              }
              assertThat(stores.toOld.reads.get()).isGreaterThanOrEqualTo(reads);
              return pass.run();
            });
  }

  @Test
  void leader_afterTheWayBack_refusesTheEraForEver() {
    State moved = move();
    back();
    importAgain();
    State again = move();
    for (long epoch = moved.epoch(); epoch < again.epoch(); epoch++) {
      long stale = epoch;
      Mutation late = Mutation.put(ONE).withVersion(again.floor() + 1_000);
      Await.failure(StalePhase.class, () -> stores.onOld.write(STORE_KEY, late, call(stale)));
      Await.failure(StalePhase.class, () -> stores.onOld.get(STORE_KEY, call(stale)));
    }
  }

  @Test
  void pass_leaderLeadsAgain_isRefused() {
    MergePass late = MergePass.of(stores.onOld, onNew).backFrom(move());
    State moved = join(leader.state());
    back();
    join(onNew.write(STORE_KEY, Mutation.put(ONE).withVersion(moved.floor() + 5), call(0)));
    assertThatThrownBy(late::run).isInstanceOf(StalePhase.class);
    assertThat(read(stores.onOld)).isNull();
  }

  @Test
  void goBack_rowOfBeforeTheMove_isNotWrittenToTheLeaderThatHasPurgedIt() {
    join(onNew.write(STORE_KEY, Mutation.delete().withVersion(5L), call(0)));
    move();
    assertThat(Objects.requireNonNull(back()).toOld()).isZero();
    assertThat(read(stores.onOld)).isNull();
  }

  @Test
  void write_underALock_isAboveTheLastHoldersAndFollowed() {
    KvCollection items = connect("service");
    move();
    items.put(KEY, ONE);
    StoreLocks locks = services.get(0).locks("space");
    Lock lock = lock(locks);
    items.put(KEY, TWO, WriteOptions.lock(lock));
    Row put = Objects.requireNonNull(read(onNew));
    assertThat(put.value()).isEqualTo(TWO);
    assertThat(put.version()).isGreaterThan(lock.token());
    Await.until("the old side has followed", () -> put.equals(read(stores.onOld)));
    join(locks.release(lock, TwoStores.call()));
    assertThatThrownBy(() -> items.put(KEY, ONE, WriteOptions.lock(lock)))
        .isInstanceOf(KvException.class);
    assertThat(items.get(KEY)).contains(TWO);
  }

  @Test
  void write_underALockThatIsLostBeforeTheLeaderLeadsAgain_isOfUnknownOutcome() {
    KvCollection items = connect("service");
    move();
    StoreLocks locks = services.get(0).locks("space");
    Lock lock = lock(locks);
    MetadataGate gate = MetadataGate.of(stores.newStore, TwoStores.ITEMS);
    State merged =
        Coordinator.inClockOrder(TwoStores.ITEMS, gate, state -> {})
            .moveTo(Phase.NEW_READ, TwoStores.PATIENCE);
    CompletableFuture<?> held = new CompletableFuture<>();
    stores.toNew.writesHeld = held;
    CompletionStage<?> put = items.async().put(KEY, TWO, WriteOptions.lock(lock));
    Await.until("the old side has the write", () -> read(stores.onOld) != null);
    join(locks.release(lock, TwoStores.call()));
    stores.events.clear();
    leadAgain(gate, merged.epoch());
    held.complete(null);
    Await.failure(KvException.UnknownOutcome.class, () -> put);
    assertThat(Objects.requireNonNull(read(onNew)).value()).isEqualTo(TWO);
  }

  /** Lets the leader lead again without a pass, and waits until the service has learned it. */
  private void leadAgain(MetadataGate gate, long merge) {
    join(gate.close(merge));
    State led = join(leader.state());
    assertThat(
            join(
                leader.compareAndSet(
                    led,
                    State.first()
                        .withEpoch(merge + 1)
                        .withAcceptMin(merge + 1)
                        .withIncarnation(led.incarnation() + 1))))
        .isTrue();
    join(gate.end(join(leader.state())));
    Await.until(
        "the service has learned who leads",
        () ->
            stores.events(Event.Kind.PHASE).stream()
                .anyMatch(event -> event.detail().equals(Phase.LEGACY.word())));
  }

  @Test
  void begin_storeOfAnotherCopy_isRefusedAndItsGateKept() {
    move();
    State handed = join(leader.state());
    try (Store other = MemoryStoreProvider.open(UUID.randomUUID().toString())) {
      assertThat(
              Await.failure(
                  KvException.Permanent.class,
                  () -> ClockEra.begin(other, TwoStores.ITEMS, handed)))
          .hasMessageContaining("holds no such collection");
      Copy others = Copy.draw("clock-ordered");
      join(other.open(TwoStores.ITEMS, TwoStores.LAYOUT, Claim.importing(others)));
      MetadataGate gate = MetadataGate.of(other, TwoStores.ITEMS);
      State first = join(gate.state());
      join(gate.compareAndSet(first, first.withCopy(others)));
      State theirs = join(gate.state());
      assertThat(
              Await.failure(
                  KvException.Permanent.class,
                  () -> ClockEra.begin(other, TwoStores.ITEMS, handed)))
          .hasMessageContaining("with copy " + copy)
          .hasMessageContaining("copy=" + others)
          .hasMessageContaining("check the new store's connection string");
      assertThat(join(gate.state())).isEqualTo(theirs);
    }
  }

  @Test
  void open_newStoreOfAnotherMoveOfThatName_isRefused() {
    State moved = move();
    try (Store other = MemoryStoreProvider.open(UUID.randomUUID().toString())) {
      Copy others = Copy.draw("another-log");
      join(other.open(TwoStores.ITEMS, TwoStores.LAYOUT, Claim.importing(others)));
      join(
          ClockEra.begin(
              other,
              TwoStores.ITEMS,
              moved.withEpoch(moved.epoch() + 2).withCopy(others).withClockOrder(true)));
      Store service = stores.open("service", (side, inner) -> side.equals("new") ? other : inner);
      services.add(service);
      assertThatThrownBy(() -> KvStore.over(service).collection(TwoStores.ITEMS, TwoStores.LAYOUT))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("with copy " + copy)
          .hasMessageContaining("names copy " + others)
          .hasMessageContaining("check the new= string");
    }
  }

  @Test
  void finish_again_isTheSameAndThereIsNoWayBack() {
    KvCollection items = connect("service");
    State moved = move();
    items.put(KEY, ONE);
    CollectionRecord record = era().finish();
    assertThat(record.isHandedOver()).isTrue();
    assertThat(record.floor()).isEqualTo(moved.floor());
    assertThat(era().finish()).isEqualTo(record);
    assertThat(join(leader.state()).phase()).isEqualTo(Phase.NEW_ONLY);
    assertThatThrownBy(this::back)
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("no way back");
    items.put(KEY, TWO);
    oldIsDown.set(true);
    assertThat(connect("late").get(KEY)).contains(TWO);
    Row put = Objects.requireNonNull(read(onNew));
    assertThat(put.value()).isEqualTo(TWO);
    assertThat(read(stores.onOld)).isNotEqualTo(put);
  }

  @Test
  void era_neverMoved_isRefused() {
    assertThatThrownBy(() -> era().begin())
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("was not moved with a way back");
    assertThatThrownBy(() -> era().finish()).isInstanceOf(KvException.Permanent.class);
    assertThatThrownBy(this::back).isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void of_newStoreWithoutReadableDeletes_isRefused() {
    try (Store blind =
        MemoryStoreProvider.open(
            UUID.randomUUID().toString(),
            MemoryOptions.defaults().without(Capability.TOMBSTONE_READS))) {
      assertThatThrownBy(() -> ClockEra.requireNewSide(blind, "items"))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("deletes=kept");
    }
  }

  @Test
  void open_leaderRestoredFromBeforeTheMove_isNotBelieved() {
    State moved = move();
    KvCollection items =
        connect(
            "service",
            inner ->
                new ForwardingStore(inner) {
                  @Override
                  public CompletionStage<Map<String, State>> report(InstanceReport report) {
                    return super.report(report)
                        .thenApply(states -> Map.of(TwoStores.ITEMS, State.first().withCopy(copy)));
                  }
                });
    items.put(KEY, ONE);
    assertThat(Objects.requireNonNull(read(onNew)).version()).isGreaterThan(moved.floor());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void history_moveBackAndMoveAgain_isLinearizablePerKey(boolean dualWrites) throws Exception {
    long seed = Long.getLong("kvshift.seed", new Random().nextLong());
    RegisterHistory history = new RegisterHistory();
    AtomicBoolean ended = new AtomicBoolean();
    List<CompletableFuture<Void>> clients = new ArrayList<>();
    try {
      for (int service = 0; service < 3; service++) {
        KvCollection items = connect("service-" + service);
        for (int client = 0; client < 2; client++) {
          Random random = new Random(seed + 100L * service + client);
          clients.add(
              CompletableFuture.runAsync(
                  () -> history.run(items, random, ended::get), task -> new Thread(task).start()));
        }
      }
      for (int round = 0; round < 2; round++) {
        awaitWork(history);
        if (dualWrites) {
          moveFromNewPrimary();
        } else {
          move();
        }
        awaitWork(history);
        if (round == 1) {
          oldIsDown.set(true);
          awaitWork(history);
          oldIsDown.set(false);
        }
        back();
        awaitWork(history);
        importAgain();
        // One that has not heard of the way back yet would be a surprise to the move.
        Await.until("all are back", () -> join(leader.instances()).size() == services.size());
      }
      move();
      awaitWork(history);
      era().finish();
      awaitWork(history);
      ended.set(true);
      CompletableFuture.allOf(clients.toArray(CompletableFuture<?>[]::new)).get();
    } finally {
      ended.set(true);
    }
    assertThat(history.violations()).as("-Dkvshift.seed=%s", seed).isEmpty();
    assertThat(history.failed()).as("-Dkvshift.seed=%s", seed).isZero();
  }

  private static void awaitWork(RegisterHistory history) {
    int before = history.operations();
    Await.until("the services have worked", () -> history.operations() > before + 100);
  }

  private static Lock lock(StoreLocks locks) {
    return join(locks.tryLockAll(Set.of(ONE), Duration.ofSeconds(20), TwoStores.call()))
        .acquired()
        .iterator()
        .next();
  }

  /** Moves the collection by a fence, with a way back. */
  private State move() {
    keepWayBack();
    String attempt = "attempt";
    if (join(leader.state()).incarnation() > 1) {
      attempt = UUID.randomUUID().toString();
    }
    String name = attempt;
    Await.until(
        "the fence",
        () -> {
          try {
            join(leader.fence(name, FenceOptions.lasting(Duration.ofSeconds(10))));
            return true;
          } catch (KvException.Transient notReady) {
            return false;
          }
        });
    stores.stream(onNew);
    join(leader.move(name));
    return era().begin();
  }

  private void moveFromNewPrimary() {
    keepWayBack();
    State last =
        Coordinator.of(TwoStores.ITEMS, leader).moveTo(Phase.NEW_PRIMARY, TwoStores.PATIENCE);
    join(leader.seal(last.epoch()));
    era().begin();
  }

  private void keepWayBack() {
    State now = join(leader.state());
    assertThat(join(leader.compareAndSet(now, now.withWayBack(true)))).isTrue();
    stores.awaitReady(copy);
  }

  private MergePass.@Nullable Counts back() {
    return era().goBack((pass, merged) -> pass.run());
  }

  /** Prepares the next migration, and copies everything. */
  private void importAgain() {
    Copy next = Copy.draw(copy.source());
    join(stores.newStore.restart(TwoStores.ITEMS, TwoStores.LAYOUT, copy, next));
    copy = next;
    onNew = join(stores.newStore.open(TwoStores.ITEMS, TwoStores.LAYOUT, Claim.importing(copy)));
    State now = join(leader.state());
    assertThat(join(leader.compareAndSet(now, now.withCopy(copy)))).isTrue();
    stores.streamFromTheBeginning();
    stores.stream(onNew);
  }

  private ClockEra era() {
    return ClockEra.of(stores.onOld, stores.newStore, TwoStores.PATIENCE, line -> {})
        .withoutLeases();
  }

  private List<Gate.Instance> instances() {
    return join(MetadataGate.of(stores.newStore, TwoStores.ITEMS).instances());
  }

  private KvCollection connect(String service) {
    return connect(service, UnaryOperator.identity());
  }

  private KvCollection connect(String service, UnaryOperator<Store> aroundOld) {
    Store store =
        stores.open(
            service, (side, inner) -> side.equals("old") ? aroundOld.apply(down(inner)) : inner);
    services.add(store);
    return KvStore.over(store).collection(TwoStores.ITEMS, TwoStores.LAYOUT);
  }

  /** The old store, silent while it is down. */
  private Store down(Store inner) {
    return new ForwardingStore(inner) {
      @Override
      public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
        return oldIsDown.get() ? silent() : super.open(name, layout, claim);
      }

      @Override
      public CompletionStage<Map<String, State>> report(InstanceReport report) {
        return oldIsDown.get() ? silent() : super.report(report);
      }

      @Override
      protected StoreCollection wrap(StoreCollection collection) {
        return new dev.kvshift.spi.ForwardingCollection(collection) {
          @Override
          public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
            return oldIsDown.get() ? silent() : inner.get(key, call);
          }

          @Override
          public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
            return oldIsDown.get() ? silent() : inner.write(key, mutation, call);
          }
        };
      }
    };
  }

  private static <T extends @Nullable Object> CompletionStage<T> silent() {
    return CompletableFuture.failedFuture(new KvException.Transient("the old store is down"));
  }

  private @Nullable Row read(StoreCollection side) {
    return Await.<@Nullable Row>join(side.get(STORE_KEY, TwoStores.call().ungated()));
  }

  private static Call call(long epoch) {
    return TwoStores.call().withEpoch(epoch);
  }

  @Test
  void events_oldStoreDown_nameItsSide() {
    KvCollection items = connect("service");
    move();
    items.put(KEY, TWO);
    oldIsDown.set(true);
    items.put(KEY, ONE);
    Await.until(
        "the failure is reported",
        () ->
            stores.events(Event.Kind.SIDE_FAILURE).stream()
                .anyMatch(event -> event.detail().equals(Events.OLD)));
    assertThat(stores.events(Event.Kind.SHADOW_WRITE))
        .anyMatch(event -> event.detail().equals(Events.FAILED));
  }
}
