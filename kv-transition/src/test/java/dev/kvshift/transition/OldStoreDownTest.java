package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver.Event;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.oracle.RegisterHistory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Services that start while the old store, which has no leader, is down. */
final class OldStoreDownTest {
  private static final Bytes ONE = Bytes.utf8("one");
  private static final Bytes TWO = Bytes.utf8("two");
  private static final String FLOOR = "old-floor/" + LeaderlessStores.ITEMS;

  private final LeaderlessStores stores = new LeaderlessStores();

  @AfterEach
  void close() {
    stores.close();
  }

  @Test
  void start_newPrimary_servesAndFollowsOnceTheOldStoreIsUp() {
    KvCollection before = stores.connect("before");
    stores.moveTo(Phase.DUAL_WRITE);
    before.put(LeaderlessStores.KEY, ONE);
    stores.moveTo(Phase.NEW_PRIMARY);
    stores.oldIsDown.set(true);
    KvCollection items = stores.connect("late");
    assertThat(items.get(LeaderlessStores.KEY)).contains(ONE);
    items.delete(LeaderlessStores.KEY);
    assertThat(before.get(LeaderlessStores.KEY)).isEmpty();
    assertThat(Objects.requireNonNull(stores.read(stores.onOld)).isTombstone()).isFalse();
    Await.until("the dropped write is counted", () -> counted(Event.Kind.SHADOW_WRITE, "dropped"));
    Await.until("the old side's failure, too", () -> counted(Event.Kind.SIDE_FAILURE, "old"));
    assertThat(join(stores.gate.instances())).hasSize(2);

    stores.oldIsDown.set(false);

    Await.until(
        "the old side follows",
        () -> {
          items.put(LeaderlessStores.KEY, TWO);
          return TWO.equals(Objects.requireNonNull(stores.read(stores.onOld)).value());
        });
    stores.moveTo(Phase.LEGACY);
    assertThat(items.get(LeaderlessStores.KEY)).contains(TWO);
  }

  @Test
  void start_newPrimary_theWayBackBringsWhatWasMissed() {
    stores.moveTo(Phase.NEW_PRIMARY);
    stores.oldIsDown.set(true);
    KvCollection items = stores.connect("late");
    items.put(LeaderlessStores.KEY, ONE);
    Row put = Objects.requireNonNull(stores.read(stores.onNew));
    assertThat(stores.read(stores.onOld)).isNull();
    stores.stepPastEverybody(Phase.NEW_READ);
    Await.until("reads need the old store", () -> needsOldStore(items));
    stores.oldIsDown.set(false);
    stores.moveTo(Phase.LEGACY);
    assertThat(stores.read(stores.onOld)).isEqualTo(put);
    assertThat(items.get(LeaderlessStores.KEY)).contains(ONE);
  }

  @Test
  void start_newPrimary_asksForTheOldStoreAfterGrowingPausesUntilItIsNeeded() {
    stores.moveTo(Phase.NEW_PRIMARY);
    stores.oldIsDown.set(true);
    KvCollection items = stores.connect("late");
    Await.until("the first attempt", () -> failures() >= 1);
    long first = System.nanoTime();
    Await.until("the fourth attempt", () -> failures() >= 4);
    long fourth = System.nanoTime();
    assertThat(Duration.ofNanos(fourth - first)).isGreaterThan(Duration.ofMillis(6_900));
    stores.oldIsDown.set(false);
    stores.stepPastEverybody(Phase.NEW_READ); // the next attempt would be 8 s after the fourth
    Await.until("it answers", () -> !needsOldStore(items) && stores.toOld.reads.get() > 0);
    assertThat(Duration.ofNanos(System.nanoTime() - fourth)).isLessThan(Duration.ofSeconds(7));
  }

  private long failures() {
    return stores.events.stream()
        .filter(event -> event.kind() == Event.Kind.SIDE_FAILURE && event.detail().equals("old"))
        .count();
  }

  @ParameterizedTest
  @EnumSource(
      value = Phase.class,
      names = {"LEGACY", "SHADOW_WRITE", "DUAL_WRITE", "SHADOW_READ", "NEW_READ"})
  void start_phaseThatNeedsTheOldStore_failsAsItDoes(Phase phase) {
    stores.moveTo(phase);
    stores.oldIsDown.set(true);
    assertThatThrownBy(() -> stores.connect("late"))
        .isInstanceOf(KvException.Transient.class)
        .hasMessage("the old store is down");
    assertThat(join(stores.gate.instances())).isEmpty();
  }

  @Test
  void start_stepBackMeanwhile_failsAndIsForgotten() {
    stores.moveTo(Phase.NEW_PRIMARY);
    stores.oldIsDown.set(true);
    stores.onLooked = () -> stores.stepPastEverybody(Phase.NEW_READ);
    assertThatThrownBy(() -> stores.connect("late")).hasMessage("the old store is down");
    Await.until("nobody waits for it", () -> join(stores.gate.instances()).isEmpty());
  }

  @Test
  void start_sealed_needsTheOldStoreNoMore() {
    stores.moveTo(Phase.NEW_PRIMARY);
    long floor = join(stores.gate.seal(join(stores.gate.state()).epoch())).floor();
    stores.oldIsDown.set(true);
    KvCollection items = stores.connect("late");
    items.put(LeaderlessStores.KEY, ONE);
    assertThat(Objects.requireNonNull(stores.read(stores.onNew)).version()).isGreaterThan(floor);
    assertThat(items.get(LeaderlessStores.KEY)).contains(ONE);
  }

  @Test
  void start_oldSideWasMigratedBefore_writesAboveItsFloor() {
    long floor = VersionClock.micros(Instant.now().plus(Duration.ofMillis(600)));
    String record = CollectionRecord.metadataName(LeaderlessStores.ITEMS);
    Bytes live = join(stores.oldStore.metadata().get(record));
    CollectionRecord moved =
        CollectionRecord.parse(LeaderlessStores.ITEMS, Objects.requireNonNull(live))
            .activated(floor);
    assertThat(join(stores.oldStore.metadata().compareAndSet(record, live, moved.print())))
        .isTrue();
    prepare();
    stores.moveTo(Phase.NEW_PRIMARY);
    stores.oldIsDown.set(true);
    stores.connect("late").put(LeaderlessStores.KEY, ONE);
    assertThat(Objects.requireNonNull(stores.read(stores.onNew)).version()).isGreaterThan(floor);
  }

  @Test
  void start_floorWasNotKept_failsUntilItIsPreparedAgain() {
    Bytes kept = join(stores.newStore.metadata().get(FLOOR));
    assertThat(kept).isNotNull();
    assertThat(join(stores.newStore.metadata().compareAndSet(FLOOR, kept, null))).isTrue();
    stores.moveTo(Phase.NEW_PRIMARY);
    stores.oldIsDown.set(true);
    assertThatThrownBy(() -> stores.connect("late")).hasMessage("the old store is down");
    assertThat(join(stores.gate.instances())).isEmpty();
    prepare();
    stores.connect("late").put(LeaderlessStores.KEY, ONE);
    join(ClockOrder.forget(stores.oldStore, stores.newStore, LeaderlessStores.ITEMS, stores.copy));
    assertThat(join(stores.newStore.metadata().get(FLOOR))).isNull();
  }

  @Test
  void start_anotherOldStoreComesUp_isNeverWritten() {
    String other = UUID.randomUUID().toString();
    try (Store wrong = MemoryStoreProvider.open(other)) {
      StoreCollection onWrong =
          join(wrong.open(LeaderlessStores.ITEMS, TwoStores.LAYOUT, Claim.ACTIVE));
      stores.moveTo(Phase.NEW_PRIMARY);
      stores.oldIsDown.set(true);
      KvCollection items =
          KvStore.over(stores.open("lost", "", other))
              .collection(LeaderlessStores.ITEMS, TwoStores.LAYOUT);
      items.put(LeaderlessStores.KEY, ONE);
      stores.oldIsDown.set(false);
      Await.until(
          "it is found out",
          () -> {
            putUnlessFoundOut(items);
            return stores.events.stream()
                .anyMatch(
                    event ->
                        event.error() instanceof KvException.Permanent wrongStore
                            && String.valueOf(wrongStore.getMessage())
                                .contains("check the old= string"));
          });
      assertThat(stores.read(onWrong)).isNull();
    }
  }

  /** Once the wrong store is known, requests name it. */
  private static void putUnlessFoundOut(KvCollection items) {
    try {
      items.put(LeaderlessStores.KEY, TWO);
    } catch (KvException.Permanent e) {
      assertThat(e).hasMessageContaining("check the old= string");
    }
  }

  @Test
  void start_toReadOnly_isRefusedAsEver() {
    stores.moveTo(Phase.NEW_PRIMARY);
    stores.oldIsDown.set(true);
    Store reader = stores.open("reader", "");
    assertThat(
            Await.failure(
                KvException.Permanent.class,
                () -> reader.open(LeaderlessStores.ITEMS, TwoStores.LAYOUT, Claim.READ)))
        .hasMessageContaining("access=read");
  }

  @Test
  void history_servicesStartInAnOutage_isLinearizablePerKey() throws Exception {
    long seed = Long.getLong("kvshift.seed", new Random().nextLong());
    RegisterHistory history = new RegisterHistory();
    AtomicBoolean ended = new AtomicBoolean();
    List<CompletableFuture<Void>> clients = new ArrayList<>();
    List<KvCollection> services = new ArrayList<>(List.of(stores.connect("early")));
    try {
      clients.add(client(history, services.get(0), new Random(seed), ended));
      for (int round = 1; round <= 2; round++) {
        stores.moveTo(Phase.NEW_PRIMARY);
        stores.toOld.failure = new KvException.Transient("the old store is down");
        stores.oldIsDown.set(true);
        services.add(stores.connect("late-" + round));
        clients.add(client(history, services.get(round), new Random(seed + round), ended));
        awaitWork(history);
        stores.oldIsDown.set(false);
        stores.toOld.failure = null;
        for (KvCollection each : services) {
          Bytes mark = Bytes.utf8(UUID.randomUUID().toString());
          Await.until("the old store follows", () -> isFollowed(each, mark));
        }
        stores.moveTo(round == 1 ? Phase.LEGACY : Phase.NEW_ONLY);
        awaitWork(history);
      }
      ended.set(true);
      CompletableFuture.allOf(clients.toArray(CompletableFuture<?>[]::new)).get();
    } finally {
      ended.set(true);
    }
    assertThat(history.violations()).as("-Dkvshift.seed=%s", seed).isEmpty();
    assertThat(history.failed()).as("-Dkvshift.seed=%s", seed).isZero();
  }

  private static CompletableFuture<Void> client(
      RegisterHistory history, KvCollection items, Random random, AtomicBoolean ended) {
    return CompletableFuture.runAsync(
        () -> history.run(items, random, ended::get), task -> new Thread(task).start());
  }

  private boolean isFollowed(KvCollection items, Bytes mark) {
    items.put(LeaderlessStores.KEY, mark);
    Row onOld = stores.read(stores.onOld);
    return onOld != null && mark.equals(onOld.value());
  }

  private static boolean needsOldStore(KvCollection items) {
    try {
      items.get(LeaderlessStores.KEY);
      return false;
    } catch (KvException.Transient e) {
      return String.valueOf(e.getMessage()).contains("needs its old store");
    }
  }

  private static void awaitWork(RegisterHistory history) {
    int before = history.operations();
    Await.until("the services have worked", () -> history.operations() > before + 100);
  }

  /** Prepares again, as each command of the runner does. */
  private void prepare() {
    assertThat(
            join(
                ClockOrder.prepare(
                    LeaderlessStores.ITEMS, TwoStores.LAYOUT, stores.oldStore, stores.newStore)))
        .isEqualTo(stores.copy);
  }

  private boolean counted(Event.Kind kind, String detail) {
    return stores.events.stream()
        .anyMatch(event -> event.kind() == kind && event.detail().equals(detail));
  }
}
