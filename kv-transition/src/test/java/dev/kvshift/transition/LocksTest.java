package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.LockSpaceRecord;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Locks of services while their rows move, and afterwards the lock space itself. */
final class LocksTest {
  private static final String SPACE = "points";
  private static final Bytes NAME = Bytes.utf8("counter");
  private static final Set<Bytes> LOCKED = Set.of(NAME);
  private static final Key COUNTER = Key.of(NAME, Bytes.utf8("c"));
  private static final Duration LEASE = Duration.ofSeconds(30);
  private static final Duration SHORT = Duration.ofMillis(100);

  private final TwoStores stores = new TwoStores();
  private final List<KvStore> services = new ArrayList<>();

  @AfterEach
  void close() {
    services.forEach(KvStore::close);
    stores.close();
  }

  private KvStore connect() {
    KvStore service = stores.connect("service-" + services.size());
    services.add(service);
    return service;
  }

  private static KvCollection items(KvStore service) {
    return service.collection(TwoStores.ITEMS, TwoStores.LAYOUT);
  }

  private static Lock take(KvStore service, Duration lease) {
    return service.locks(SPACE).tryLockAll(LOCKED, lease).acquired().iterator().next();
  }

  private static Lock takeOnceFree(KvStore service, Duration lease) {
    while (true) {
      var acquired = service.locks(SPACE).tryLockAll(LOCKED, lease).acquired();
      if (!acquired.isEmpty()) {
        return acquired.iterator().next();
      }
      Thread.onSpinWait();
    }
  }

  private LockMove mover() {
    return LockMove.of(SPACE, stores.oldStore, stores.newStore, List.of(TwoStores.ITEMS))
        .withPatience(Duration.ofSeconds(10));
  }

  private Gate gate() {
    return join(stores.oldStore.locks(SPACE).gate());
  }

  private void moveRows() {
    KvStore service = connect();
    items(service).put(Key.of(NAME, Bytes.utf8("first")), NAME);
    stores.moveTo(Phase.NEW_ONLY);
  }

  private static int count(KvCollection items) {
    return items.get(COUNTER).map(value -> Integer.parseInt(value.toUtf8())).orElse(0);
  }

  private static void count(KvCollection items, Lock lock) {
    items.put(COUNTER, Bytes.utf8("" + (count(items) + 1)), WriteOptions.lock(lock));
  }

  @ParameterizedTest
  @EnumSource
  void write_underALockOfTheLeader_isWrittenInEachPhase(Phase phase) {
    KvStore service = connect();
    KvCollection items = items(service);
    stores.moveTo(phase);
    Lock lock = take(service, LEASE);
    count(items, lock);
    count(items, lock);
    service.locks(SPACE).release(lock);
    assertThat(count(items)).isEqualTo(2);
    assertThat(join(gate().state()).phase()).isEqualTo(Phase.LEGACY);
    Lock next = take(connect(), LEASE);
    assertThat(next.token()).isGreaterThan(lock.token());
    assertThatThrownBy(() -> count(items, lock)).isInstanceOf(KvException.Permanent.class);
    assertThat(count(items)).isEqualTo(2);
  }

  @Test
  void move_afterTheRows_handsTheSpaceOver() {
    moveRows();
    KvStore service = connect();
    KvCollection items = items(service);
    Lock before = take(service, LEASE);
    count(items, before);
    service.locks(SPACE).release(before);

    LockSpaceRecord moved = mover().move();

    assertThat(moved.isHandedOver()).isTrue();
    assertThat(moved.floor()).isGreaterThan(before.token());
    Lock after = take(service, LEASE);
    assertThat(after.token()).isGreaterThan(moved.floor());
    assertThat(
            join(stores.newStore.locks(SPACE).tryLockAll(LOCKED, LEASE, TwoStores.call())).busy())
        .isEqualTo(LOCKED);
    count(items, after);
    service.locks(SPACE).renew(after, LEASE);
    service.locks(SPACE).release(after);
    assertThat(count(items)).isEqualTo(2);
    assertThat(mover().move()).isEqualTo(moved);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NEW_ONLY")
  void move_beforeTheRows_isRefused(Phase phase) {
    KvStore service = connect();
    items(service);
    stores.moveTo(phase);
    assertThatThrownBy(() -> mover().move())
        .isInstanceOf(LockMove.NotSafe.class)
        .hasMessageContaining("locks move last");
    assertThat(join(gate().state()).copy()).isNull();
    take(service, LEASE);
  }

  @Test
  void move_lockHeld_isTransientAndLocksAreGrantedAgain() {
    moveRows();
    KvStore service = connect();
    Lock held = take(service, LEASE);
    assertThatThrownBy(() -> mover().withPatience(Duration.ofSeconds(3)).move())
        .isInstanceOf(KvException.Transient.class)
        .hasMessageContaining("held");
    assertThat(join(gate().state()).fence()).isNull();
    assertThat(join(gate().state()).phase()).isEqualTo(Phase.LEGACY);
    service.locks(SPACE).release(held);
    service.locks(SPACE).release(take(service, LEASE));
    assertThat(mover().move().isActive()).isTrue();
  }

  @Test
  void tryLockAll_fenceRaised_waitsForTheMove() {
    moveRows();
    KvStore service = connect();
    Lock held = take(service, LEASE);
    KvStore other = connect();
    List<String> lines = new ArrayList<>();
    CompletableFuture<Lock> waiting = new CompletableFuture<>();
    LockSpaceRecord moved =
        mover()
            .withProgress(
                line -> {
                  lines.add(line);
                  if (line.contains("held")) {
                    waiting.completeAsync(() -> takeOnceFree(other, LEASE));
                    service.locks(SPACE).release(held);
                  }
                })
            .move();
    assertThat(lines).anyMatch(line -> line.contains("held"));
    assertThat(join(waiting).token()).isGreaterThan(moved.floor());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void move_moverDiedAtAnEdge_isContinuedByAnother(int edge) {
    moveRows();
    KvStore service = connect();
    KvCollection items = items(service);
    Lock before = take(service, LEASE);
    service.locks(SPACE).release(before);
    AtomicInteger steps = new AtomicInteger();
    assertThatThrownBy(
            () ->
                mover()
                    .withProgress(
                        line -> {
                          if (!line.contains("waits") && steps.incrementAndGet() == edge) {
                            throw new IllegalStateException("killed by the test");
                          }
                        })
                    .move())
        .hasMessage("killed by the test");

    LockSpaceRecord moved = mover().move();

    assertThat(moved.isHandedOver()).isTrue();
    Lock after = take(service, LEASE);
    assertThat(after.token()).isGreaterThan(moved.floor());
    count(items, after);
    assertThat(count(items)).isEqualTo(1);
  }

  @Test
  void move_instanceWithAnotherNewStore_isRefused() {
    moveRows();
    KvStore service =
        KvStore.over(
            stores.open(
                "lost",
                inner ->
                    new ForwardingStore(inner) {
                      @Override
                      public Metadata metadata() {
                        throw new KvException.Transient("no route to the store");
                      }
                    }));
    services.add(service);
    take(service, SHORT);
    assertThatThrownBy(() -> mover().withPatience(Duration.ofSeconds(1)).move())
        .isInstanceOf(InstancesNotReady.class)
        .hasMessageContaining("lost");
    assertThat(join(gate().state()).phase()).isEqualTo(Phase.LEGACY);
    assertThat(mover().withGivenUp(Set.of("lost")).move().isActive()).isTrue();
  }

  @Test
  void tryLockAll_ofTheNewStoreAlone_isRefusedUntilTheMoveHasEnded() {
    moveRows();
    KvStore fresh = KvStore.over(new ForwardingStore(stores.newStore) {});
    assertThatThrownBy(
            () ->
                mover()
                    .withProgress(
                        line -> {
                          if (line.contains("was moved")) {
                            throw new IllegalStateException("killed by the test");
                          }
                        })
                    .move())
        .hasMessage("killed by the test");
    assertThatThrownBy(() -> take(fresh, LEASE))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("has not been moved");
    KvStore service = connect();
    Lock sent = take(service, LEASE);
    LockSpaceRecord moved = mover().move();
    assertThat(sent.token()).isGreaterThan(moved.floor());
    service.locks(SPACE).release(sent);
    assertThat(take(fresh, LEASE).token()).isGreaterThan(sent.token());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void write_lockLostBeforeItArrives_isUnknownAndHidden(boolean movedMeanwhile) {
    moveRows();
    KvStore late = connect();
    KvCollection lateItems = items(late);
    Lock first = take(late, SHORT);
    CompletableFuture<Void> held = new CompletableFuture<>();
    stores.toNew.forget();
    stores.toNew.writesHeld = held;
    CompletionStage<?> write =
        lateItems.async().put(COUNTER, Bytes.utf8("1"), WriteOptions.lock(first));
    Await.until("the write is on its way", () -> stores.toNew.writes.get() == 1);
    stores.toNew.writesHeld = CompletableFuture.completedFuture(null);
    if (movedMeanwhile) {
      mover().move();
    }
    KvStore service = connect();
    Lock second = takeOnceFree(service, LEASE);
    items(service).put(COUNTER, Bytes.utf8("second"), WriteOptions.lock(second));
    held.complete(null);
    assertThatThrownBy(() -> join(write)).isInstanceOf(KvException.UnknownOutcome.class);
    assertThat(items(service).get(COUNTER)).contains(Bytes.utf8("second"));
  }

  @Test
  void write_lockLostBeforeItIsSent_isRefused() {
    moveRows();
    KvStore late = connect();
    KvCollection lateItems = items(late);
    Lock first = take(late, SHORT);
    KvStore service = connect();
    Lock second = takeOnceFree(service, LEASE);
    items(service).put(COUNTER, Bytes.utf8("second"), WriteOptions.lock(second));
    assertThatThrownBy(() -> lateItems.put(COUNTER, Bytes.utf8("late"), WriteOptions.lock(first)))
        .isInstanceOf(KvException.Permanent.class);
    assertThat(items(service).get(COUNTER)).contains(Bytes.utf8("second"));
  }

  @Test
  void open_leaderReturnedFromAnOlderState_isNotBelieved() {
    Copy copy = announced();
    join(LockSpaceRecord.activate(stores.newStore.metadata(), SPACE, copy, 17));
    Lock lock = take(connect(), LEASE);
    assertThat(join(stores.newStore.locks(SPACE).isHeld(lock, TwoStores.call()))).isTrue();
  }

  @Test
  void open_newStoreOfAnotherMove_isRefused() {
    gate();
    Copy other = Copy.draw("another");
    join(LockSpaceRecord.announce(stores.newStore.metadata(), SPACE, other));
    join(LockSpaceRecord.activate(stores.newStore.metadata(), SPACE, other, 17));
    KvStore service = connect();
    assertThatThrownBy(() -> take(service, LEASE))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("check both connection strings");
  }

  @Test
  void tryLockAll_newStoreWithoutTheRecordOfTheMove_isRefused() {
    Gate gate = gate();
    Gate.State now = join(gate.state());
    join(gate.compareAndSet(now, now.withCopy(Copy.draw("log"))));
    join(gate.fence("a", FenceOptions.lasting(Duration.ofSeconds(30))));
    join(gate.move("a"));
    KvStore service = connect();
    assertThatThrownBy(() -> take(service, LEASE))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("no lock was granted");
  }

  @Test
  void open_leaderDownAfterTheMove_worksOnTheNewStore() {
    moveRows();
    gate();
    mover().move();
    KvStore service =
        KvStore.over(
            stores.open(
                "late",
                inner ->
                    inner.description().endsWith("-old")
                        ? new ForwardingStore(inner) {
                          @Override
                          public StoreLocks locks(String space) {
                            throw new KvException.Transient("the leader is down");
                          }
                        }
                        : inner));
    services.add(service);
    take(service, LEASE);
  }

  private Copy announced() {
    Copy copy = Copy.draw("log");
    Gate gate = gate();
    Gate.State now = join(gate.state());
    join(gate.compareAndSet(now, now.withCopy(copy)));
    join(LockSpaceRecord.announce(stores.newStore.metadata(), SPACE, copy));
    return copy;
  }

  @Test
  void report_heldLocks_areCounted() {
    KvStore service = connect();
    Lock lock = take(service, LEASE);
    Await.until("one is reported", () -> reported() == 1);
    service.locks(SPACE).release(lock);
    Await.until("none is reported", () -> reported() == 0);
  }

  private long reported() {
    return join(gate().instances()).stream().mapToLong(one -> one.use().heldLocks()).sum();
  }

  /** Every acknowledged count is there in the end, whatever moves meanwhile. */
  @Test
  void counts_throughAllPhasesAndTheLockMove_areNeverLost() {
    AtomicBoolean done = new AtomicBoolean();
    AtomicInteger acknowledged = new AtomicInteger();
    AtomicInteger unknown = new AtomicInteger();
    List<CompletableFuture<Void>> counters = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      KvStore service = connect();
      KvCollection items = items(service);
      counters.add(
          CompletableFuture.runAsync(
              () -> {
                while (!done.get()) {
                  Lock lock = takeOnceFree(service, LEASE);
                  try {
                    count(items, lock);
                    acknowledged.incrementAndGet();
                  } catch (KvException.UnknownOutcome e) {
                    unknown.incrementAndGet();
                  } finally {
                    service.locks(SPACE).release(lock);
                  }
                }
              }));
    }
    for (Phase phase :
        new Phase[] {
          Phase.SHADOW_WRITE, Phase.DUAL_WRITE, Phase.SHADOW_READ, Phase.DUAL_WRITE, Phase.NEW_READ
        }) {
      stores.stream();
      stores.moveTo(phase);
    }
    stores.moveTo(Phase.NEW_ONLY);
    awaitMore(acknowledged);
    mover().move();
    awaitMore(acknowledged);
    done.set(true);
    counters.forEach(Await::join);
    assertThat(unknown.get()).isZero();
    assertThat(count(items(services.get(0)))).isEqualTo(acknowledged.get());
  }

  private static void awaitMore(AtomicInteger count) {
    int now = count.get();
    Await.until("more counts", () -> count.get() > now + 5);
  }
}
