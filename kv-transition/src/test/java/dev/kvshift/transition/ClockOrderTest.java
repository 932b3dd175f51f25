package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.oracle.RegisterHistory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The phases of a collection whose old store has no leader: protocol, 11. */
final class ClockOrderTest {
  private static final Bytes ONE = Bytes.utf8("one");
  private static final Bytes TWO = Bytes.utf8("two");

  /** A version of a minute ago, above the horizon below which stores have purged deletes. */
  private final long minuteAgo = VersionClock.micros(Instant.now().minusSeconds(60));

  private final LeaderlessStores stores = new LeaderlessStores();

  @AfterEach
  void close() {
    stores.close();
  }

  @ParameterizedTest
  @EnumSource(names = {"DUAL_WRITE", "SHADOW_READ", "NEW_READ"})
  void write_toBothSides_hasOneVersionAndBothAcknowledge(Phase phase) {
    KvCollection items = stores.connect("service");
    stores.moveTo(phase);
    items.put(LeaderlessStores.KEY, ONE);
    Row put = Objects.requireNonNull(stores.read(stores.onOld));
    assertThat(put.value()).isEqualTo(ONE);
    assertThat(stores.read(stores.onNew)).isEqualTo(put);
    items.delete(LeaderlessStores.KEY);
    Row deleted = Objects.requireNonNull(stores.read(stores.onOld));
    assertThat(deleted.isTombstone()).isTrue();
    assertThat(deleted.version()).isGreaterThan(put.version());
    assertThat(stores.read(stores.onNew)).isEqualTo(deleted);
    assertThat(items.get(LeaderlessStores.KEY)).isEmpty();
  }

  @Test
  void write_legacy_reachesTheOldSideAlone() {
    KvCollection items = stores.connect("service");
    items.put(LeaderlessStores.KEY, ONE);
    assertThat(Objects.requireNonNull(stores.read(stores.onOld)).value()).isEqualTo(ONE);
    assertThat(stores.read(stores.onNew)).isNull();
    assertThat(items.get(LeaderlessStores.KEY)).contains(ONE);
  }

  @Test
  void write_shadowWrite_reachesTheNewSideInTheBackground() {
    KvCollection items = stores.connect("service");
    stores.moveTo(Phase.SHADOW_WRITE);
    items.put(LeaderlessStores.KEY, ONE);
    Row put = Objects.requireNonNull(stores.read(stores.onOld));
    Await.until("the shadow write", () -> put.equals(stores.read(stores.onNew)));
  }

  @Test
  void open_afterTheEnd_needsNoGateOfTheOldSide() {
    stores.moveTo(Phase.NEW_ONLY);
    KvCollection items = stores.connect("service");
    items.put(LeaderlessStores.KEY, ONE);
    assertThat(items.get(LeaderlessStores.KEY)).contains(ONE);
    assertThat(stores.read(stores.onOld)).isNull();
  }

  @Test
  void write_newPrimary_isAcknowledgedByTheNewSideAndFollowedByTheOld() {
    KvCollection items = stores.connect("service");
    stores.moveTo(Phase.NEW_PRIMARY);
    items.put(LeaderlessStores.KEY, ONE);
    Row put = Objects.requireNonNull(stores.read(stores.onNew));
    Await.until("the old side follows", () -> put.equals(stores.read(stores.onOld)));
    stores.toOld.failure = new KvException.Transient("down");
    items.put(LeaderlessStores.KEY, TWO);
    assertThat(items.get(LeaderlessStores.KEY)).contains(TWO);
    assertThat(stores.read(stores.onOld)).isEqualTo(put);
    stores.toOld.failure = null;
    stores.moveTo(Phase.LEGACY);
    assertThat(items.get(LeaderlessStores.KEY)).contains(TWO);
    assertThat(stores.read(stores.onOld)).isEqualTo(stores.read(stores.onNew));
  }

  @Test
  void delete_newPrimaryAndMissedByTheOldSide_staysDeletedAfterTheWayBack() {
    KvCollection items = stores.connect("service");
    stores.moveTo(Phase.DUAL_WRITE);
    items.put(LeaderlessStores.KEY, ONE);
    stores.moveTo(Phase.NEW_PRIMARY);
    stores.toOld.failure = new KvException.Transient("down");
    items.delete(LeaderlessStores.KEY);
    stores.toOld.failure = null;
    stores.moveTo(Phase.LEGACY);
    assertThat(items.get(LeaderlessStores.KEY)).isEmpty();
  }

  @Test
  void write_newSideFails_isOfUnknownOutcome() {
    KvCollection items = stores.connect("service");
    stores.moveTo(Phase.DUAL_WRITE);
    stores.toNew.failure = new KvException.Permanent("no");
    assertThatThrownBy(() -> items.put(LeaderlessStores.KEY, ONE))
        .isExactlyInstanceOf(KvException.UnknownOutcome.class)
        .hasMessageContaining("one side may have the write");
    stores.toOld.failure = new KvException.Permanent("no");
    assertThatThrownBy(() -> items.put(LeaderlessStores.KEY, ONE))
        .isExactlyInstanceOf(KvException.Permanent.class);
  }

  @Test
  void write_acknowledgedTooLateForItsPhase_isSentToTheSidesOfTheNextOne() {
    KvCollection items = stores.connect("service");
    CompletableFuture<?> held = new CompletableFuture<>();
    stores.toOld.writesHeld = held;
    CompletionStage<?> put = items.async().put(LeaderlessStores.KEY, ONE);
    stores.stepPastEverybody(Phase.SHADOW_WRITE);
    stores.stepPastEverybody(Phase.DUAL_WRITE);
    awaitLearned(Phase.DUAL_WRITE);
    held.complete(null);
    join(put);
    Row row = Objects.requireNonNull(stores.read(stores.onOld));
    assertThat(row.value()).isEqualTo(ONE);
    assertThat(stores.read(stores.onNew)).isEqualTo(row);
  }

  @Test
  void read_answeredTooLateForItsPhase_beginsAgain() {
    KvCollection items = stores.connect("service");
    stores.moveTo(Phase.DUAL_WRITE);
    items.put(LeaderlessStores.KEY, ONE);
    CompletableFuture<?> held = new CompletableFuture<>();
    stores.toOld.answersHeld = held;
    CompletionStage<?> read = items.async().get(LeaderlessStores.KEY);
    Await.until("the read has been answered", () -> stores.toOld.reads.get() > 0);
    stores.stepPastEverybody(Phase.SHADOW_READ);
    awaitLearned(Phase.SHADOW_READ);
    stores.write(stores.onNew, Mutation.put(TWO), version(stores.onNew) + 1);
    held.complete(null);
    assertThat(join(read)).isEqualTo(Optional.of(TWO));
  }

  @Test
  void read_merge_newestWinsAndBothHaveIt() {
    KvCollection items = stores.connect("service");
    stores.moveTo(Phase.SHADOW_READ);
    stores.write(stores.onOld, Mutation.put(ONE), minuteAgo + 1);
    assertThat(items.get(LeaderlessStores.KEY)).contains(ONE);
    assertThat(version(stores.onNew)).isEqualTo(minuteAgo + 1);
    stores.write(stores.onNew, Mutation.put(TWO), minuteAgo + 2);
    assertThat(items.get(LeaderlessStores.KEY)).contains(TWO);
    assertThat(version(stores.onOld)).isEqualTo(minuteAgo + 2);
    stores.write(stores.onOld, Mutation.delete(), minuteAgo + 3);
    assertThat(items.get(LeaderlessStores.KEY)).isEmpty();
    assertThat(version(stores.onNew)).isEqualTo(minuteAgo + 3);
  }

  @Test
  void read_mergeOfATombstoneAndNothing_writesTheTombstone() {
    KvCollection items = stores.connect("service");
    stores.moveTo(Phase.SHADOW_READ);
    stores.write(stores.onNew, Mutation.delete(), minuteAgo + 3);
    assertThat(items.get(LeaderlessStores.KEY)).isEmpty();
    assertThat(stores.read(stores.onOld))
        .isEqualTo(Row.tombstone(LeaderlessStores.STORE_KEY, minuteAgo + 3));
  }

  @Test
  void read_merge_isAnsweredOnceTheOtherSideHasAcknowledged() {
    KvCollection items = stores.connect("service");
    stores.moveTo(Phase.SHADOW_READ);
    CompletableFuture<?> held = new CompletableFuture<>();
    stores.toOld.writesHeld = held;
    stores.toNew.writesHeld = held;
    for (StoreCollection side : List.of(stores.onOld, stores.onNew)) {
      int before = stores.toOld.writes.get() + stores.toNew.writes.get();
      stores.write(
          side, Mutation.put(ONE), side.equals(stores.onOld) ? minuteAgo + 1 : minuteAgo + 2);
      CompletableFuture<?> read = items.async().get(LeaderlessStores.KEY).toCompletableFuture();
      Await.until(
          "the merge writes", () -> stores.toOld.writes.get() + stores.toNew.writes.get() > before);
      items.get(Key.of(Bytes.utf8("main"), Bytes.utf8("another"))); // ends late enough
      assertThat(read).isNotDone();
      if (side.equals(stores.onNew)) {
        held.complete(null);
        join(read);
      }
    }
  }

  @Test
  void range_merge_returnsEachKeysNewestOnce() {
    KvCollection items = stores.connect("service");
    stores.moveTo(Phase.SHADOW_READ);
    Bytes main = LeaderlessStores.KEY.main();
    List<Bytes> expected = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      StoreKey key = StoreKey.of(main, Bytes.of((byte) i));
      Mutation value = Mutation.put(ONE).withVersion(minuteAgo + 1);
      Mutation newer =
          (i % 4 == 3 ? Mutation.delete() : Mutation.put(TWO)).withVersion(minuteAgo + 2);
      if (i % 3 != 0) {
        join(stores.onOld.write(key, i % 2 == 0 ? value : newer, LeaderlessStores.call()));
      }
      if (i % 3 != 1) {
        join(stores.onNew.write(key, i % 2 == 0 ? newer : value, LeaderlessStores.call()));
      }
      boolean hasNewer = i % 2 == 0 ? i % 3 != 1 : i % 3 != 0;
      if (!hasNewer || i % 4 != 3) {
        expected.add(key.clustering());
      }
    }
    for (Range range : List.of(Range.all(), Range.all().backward())) {
      List<Bytes> found = new ArrayList<>();
      RangePage page = items.getRange(main, range, PageLimit.entries(7));
      while (true) {
        assertThat(page.entries()).hasSizeLessThanOrEqualTo(7);
        page.entries().stream().map(Entry::clustering).forEach(found::add);
        if (page.next() == null) {
          break;
        }
        page = items.getRange(main, range, PageLimit.entries(7), page.next());
      }
      List<Bytes> ordered = new ArrayList<>(expected);
      if (range.direction() == Range.Direction.BACKWARD) {
        Collections.reverse(ordered);
      }
      assertThat(found).isEqualTo(ordered);
    }
    assertThat(stores.pass().run().toString())
        .endsWith("0 written to the new side, 0 written to the old side");
  }

  @Test
  void pass_rowsOnOneSide_bringsThemToTheOther() {
    for (int i = 0; i < 300; i++) {
      StoreKey key = StoreKey.of(Bytes.utf8("main " + i), Bytes.empty());
      Mutation mutation = i % 5 == 0 ? Mutation.delete() : Mutation.put(ONE);
      StoreCollection side = i % 3 == 0 ? stores.onOld : stores.onNew;
      join(side.write(key, mutation.withVersion(minuteAgo + i), LeaderlessStores.call()));
    }
    assertThat(stores.pass().run()).isEqualTo(new MergePass.Counts(100, 300, 100, 200, 100, 0));
    assertThat(stores.pass().run()).isEqualTo(new MergePass.Counts(300, 300, 600, 0, 0, 0));
  }

  @Test
  void moveTo_leavingTheMerge_runsThePassOnceAllAreInIt() {
    stores.connect("service");
    List<Phase> passes = new ArrayList<>();
    Coordinator coordinator =
        Coordinator.inClockOrder(
            LeaderlessStores.ITEMS,
            stores.gate,
            merged -> {
              State now = join(stores.gate.state());
              assertThat(now).isEqualTo(merged);
              assertThat(now.acceptMin()).isEqualTo(now.epoch());
              passes.add(now.phase());
            });
    coordinator.moveTo(Phase.NEW_READ, LeaderlessStores.PATIENCE);
    assertThat(passes).isEmpty();
    coordinator.moveTo(Phase.NEW_PRIMARY, LeaderlessStores.PATIENCE);
    assertThat(passes).containsExactly(Phase.NEW_READ);
    coordinator.moveTo(Phase.SHADOW_READ, LeaderlessStores.PATIENCE);
    assertThat(passes).containsExactly(Phase.NEW_READ);
    coordinator.moveTo(Phase.LEGACY, LeaderlessStores.PATIENCE);
    assertThat(passes).containsExactly(Phase.NEW_READ, Phase.SHADOW_READ);
  }

  @Test
  void moveTo_passFails_staysWhereItIs() {
    AtomicInteger passes = new AtomicInteger();
    Coordinator coordinator =
        Coordinator.inClockOrder(
            LeaderlessStores.ITEMS,
            stores.gate,
            merged -> {
              if (passes.getAndIncrement() == 0) {
                throw new KvException.Transient("a side does not answer");
              }
            });
    assertThatThrownBy(() -> coordinator.moveTo(Phase.NEW_PRIMARY, LeaderlessStores.PATIENCE))
        .hasMessage("a side does not answer");
    assertThat(join(stores.gate.state()).phase()).isEqualTo(Phase.NEW_READ);
    assertThat(coordinator.moveTo(Phase.NEW_PRIMARY, LeaderlessStores.PATIENCE).phase())
        .isEqualTo(Phase.NEW_PRIMARY);
  }

  @Test
  void coordinator_withoutAPass_isRefused() {
    assertThatThrownBy(() -> Coordinator.of(LeaderlessStores.ITEMS, stores.gate))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("give the coordinator a pass");
  }

  @Test
  void write_oldSideWasMigratedBefore_isAboveItsFloor() {
    Instant ahead = Instant.now().plus(Duration.ofMillis(300));
    long floor = VersionClock.micros(ahead);
    String record = CollectionRecord.metadataName(LeaderlessStores.ITEMS);
    Bytes live = join(stores.oldStore.metadata().get(record));
    CollectionRecord moved =
        CollectionRecord.parse(LeaderlessStores.ITEMS, Objects.requireNonNull(live))
            .activated(floor);
    assertThat(join(stores.oldStore.metadata().compareAndSet(record, live, moved.print())))
        .isTrue();
    stores.connect("service").put(LeaderlessStores.KEY, ONE);
    assertThat(version(stores.onOld)).isGreaterThan(floor);
  }

  @Test
  void step_serviceWithAnotherOldStore_isRefusedAndNamed() {
    String other = UUID.randomUUID().toString();
    try (Store wrong = MemoryStoreProvider.open(other)) {
      join(wrong.open(LeaderlessStores.ITEMS, TwoStores.LAYOUT, Claim.ACTIVE));
      KvStore.over(stores.open("lost", "", other))
          .collection(LeaderlessStores.ITEMS, TwoStores.LAYOUT);
      Coordinator coordinator =
          Coordinator.inClockOrder(LeaderlessStores.ITEMS, stores.gate, merged -> {});
      assertThatThrownBy(() -> coordinator.moveTo(Phase.SHADOW_WRITE, Duration.ofSeconds(2)))
          .hasMessageContaining("lost")
          .hasMessageContaining("check the old= string");
    }
  }

  @Test
  void open_sideWithoutReadableTombstones_isRefused() {
    try (Store blind =
        MemoryStoreProvider.open(
            UUID.randomUUID().toString(),
            MemoryOptions.defaults().without(Capability.GATE, Capability.TOMBSTONE_READS))) {
      assertThatThrownBy(() -> ClockOrder.requireSides(blind, stores.newStore, "items"))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("TOMBSTONE_READS")
          .hasMessageContaining("deletes=kept");
      assertThatThrownBy(() -> ClockOrder.requireSides(stores.oldStore, blind, "items"))
          .isInstanceOf(KvException.Permanent.class);
    }
  }

  @Test
  void requireSides_mappingWithoutOrder_isRefused() {
    Store mapped =
        new ForwardingStore(stores.newStore) {
          @Override
          public String mapping(String collection) {
            return "items-1";
          }

          @Override
          public boolean keepsOrder(String collection) {
            return !collection.equals("items");
          }
        };
    ClockOrder.requireSides(stores.oldStore, mapped, "others");
    for (boolean isOld : List.of(true, false)) {
      assertThatThrownBy(
              () ->
                  ClockOrder.requireSides(
                      isOld ? mapped : stores.oldStore, isOld ? stores.newStore : mapped, "items"))
          .isExactlyInstanceOf(KvException.Permanent.class)
          .hasMessageContaining(
              " does not compare the values of collection items as they were before mapping"
                  + " items-1, which both sides need");
    }
  }

  @Test
  void open_toReadOnly_isRefused() {
    Store reader = stores.open("reader", "");
    assertThat(
            Await.failure(
                KvException.Permanent.class,
                () -> reader.open(LeaderlessStores.ITEMS, TwoStores.LAYOUT, Claim.READ)))
        .hasMessageContaining("access=read");
  }

  @Test
  void locks_withoutALeader_areUnsupported() {
    Store service = stores.open("service", "");
    assertThat(
            Await.failure(
                    KvException.UnsupportedCapability.class,
                    () ->
                        service
                            .locks("space")
                            .tryLockAll(
                                Set.of(ONE), Duration.ofSeconds(10), LeaderlessStores.call()))
                .capability())
        .isEqualTo(Capability.LOCKS);
  }

  @Test
  void prepare_again_returnsTheSameCopy() {
    assertThat(
            join(
                ClockOrder.prepare(
                    LeaderlessStores.ITEMS, TwoStores.LAYOUT, stores.oldStore, stores.newStore)))
        .isEqualTo(stores.copy);
    assertThat(join(stores.gate.state()).copy()).isEqualTo(stores.copy);
  }

  @Test
  void history_forwardBackAndForward_isLinearizablePerKey() throws Exception {
    long seed = Long.getLong("kvshift.seed", new Random().nextLong());
    RegisterHistory history = new RegisterHistory();
    AtomicBoolean ended = new AtomicBoolean();
    List<CompletableFuture<Void>> clients = new ArrayList<>();
    try {
      for (int service = 0; service < 3; service++) {
        KvCollection items = stores.connect("service-" + service);
        for (int client = 0; client < 2; client++) {
          Random random = new Random(seed + 100L * service + client);
          clients.add(
              CompletableFuture.runAsync(
                  () -> history.run(items, random, ended::get), task -> new Thread(task).start()));
        }
      }
      for (Phase phase :
          List.of(
              Phase.SHADOW_WRITE,
              Phase.DUAL_WRITE,
              Phase.SHADOW_READ,
              Phase.DUAL_WRITE,
              Phase.NEW_PRIMARY,
              Phase.SHADOW_READ,
              Phase.LEGACY,
              Phase.NEW_PRIMARY,
              Phase.NEW_ONLY)) {
        stores.moveTo(phase);
        int before = history.operations();
        Await.until("the services have worked", () -> history.operations() > before + 100);
      }
      ended.set(true);
      CompletableFuture.allOf(clients.toArray(CompletableFuture<?>[]::new)).get();
    } finally {
      ended.set(true);
    }
    assertThat(history.violations()).as("-Dkvshift.seed=%s", seed).isEmpty();
    assertThat(history.failed()).as("-Dkvshift.seed=%s", seed).isZero();
  }

  private long version(StoreCollection side) {
    return Objects.requireNonNull(stores.read(side)).version();
  }

  /** Waits until the service knows a phase, which it cannot acknowledge while it works. */
  private void awaitLearned(Phase phase) {
    Await.until(
        "the service has learned " + phase,
        () ->
            stores.events.stream()
                .anyMatch(
                    event ->
                        event.kind() == KvObserver.Event.Kind.PHASE
                            && event.detail().equals(phase.word())));
  }
}
