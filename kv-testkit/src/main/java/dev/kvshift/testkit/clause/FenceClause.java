package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException.CollectionFenced;
import dev.kvshift.api.KvException.Transient;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The fence of a cutover: writers wait until it is lifted or moved, or their deadline passes. */
@Needs({Capability.GATE, Capability.FENCING})
public abstract class FenceClause extends Clause {
  private static final Duration STANDING = Duration.ofSeconds(60);
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(5);

  @Test
  void fence_raised_leavesEpochAndPhase() {
    StoreCollection collection = fresh(pointLayout());
    long before = write(collection, freshKey(), Mutation.put(hex("01")));
    Fence fence = join(collection.gate().fence("a", FenceOptions.lasting(STANDING)));
    assertThat(fence.attempt()).isEqualTo("a");
    assertThat(fence.version()).isGreaterThan(before);
    State state = join(collection.gate().state());
    assertThat(state)
        .isEqualTo(State.first().withFence(fence).withVersionCeiling(state.versionCeiling()));
    assertThat(Duration.between(serverTime(), fence.deadline()))
        .isBetween(STANDING.minusSeconds(10), STANDING.plusSeconds(1));
  }

  @Test
  void fence_sameAttemptAgain_givesTheSame() {
    Gate gate = fresh(pointLayout()).gate();
    Fence fence = join(gate.fence("a", FenceOptions.lasting(STANDING)));
    assertThat(join(gate.fence("a", FenceOptions.lasting(STANDING)))).isEqualTo(fence);
    assertThat(join(gate.state()).fence()).isEqualTo(fence);
  }

  @Test
  void fence_otherAttempt_isTransient() {
    Gate gate = fresh(pointLayout()).gate();
    Fence fence = join(gate.fence("a", FenceOptions.lasting(STANDING)));
    Await.failure(Transient.class, () -> gate.fence("b", FenceOptions.lasting(STANDING)));
    assertThat(join(gate.state()).fence()).isEqualTo(fence);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 999, 60_001})
  void fence_lifetimeOutOfRange_isPermanent(long millis) {
    Gate gate = fresh(pointLayout()).gate();
    assertPermanent(() -> gate.fence("a", FenceOptions.lasting(Duration.ofMillis(millis))));
    assertThat(join(gate.state()).fence()).isNull();
  }

  @Test
  void read_whileFenced_isServed() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    long version = write(collection, key, Mutation.put(hex("01")));
    join(collection.gate().fence("a", FenceOptions.lasting(STANDING)));
    assertThat(read(collection, key)).isEqualTo(Row.of(key, version, hex("01"), null));
  }

  @Test
  void write_whileFenced_waitsAndRunsOnceLifted() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    Fence fence = join(collection.gate().fence("a", FenceOptions.lasting(STANDING)));
    CompletableFuture<Long> put = waiting(collection, key, Mutation.put(hex("01")));
    CompletableFuture<Long> delete = waiting(collection, freshKey(), Mutation.delete());
    assertThat(read(collection, key)).isNull();
    assertThat(put).isNotDone();
    assertThat(delete).isNotDone();
    join(collection.gate().lift("a"));
    long version = join(put);
    assertThat(version).isGreaterThan(fence.version());
    assertThat(join(delete)).isGreaterThan(fence.version());
    assertThat(read(collection, key)).isEqualTo(Row.of(key, version, hex("01"), null));
    assertThat(join(collection.gate().state()).fence()).isNull();
  }

  @Test
  @Needs({Capability.GATE, Capability.FENCING, Capability.VERSIONED_WRITES})
  void versionedWriteAndReassert_whileFenced_waitToo() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    long version = versionAgo(Duration.ofMinutes(1));
    join(collection.gate().fence("a", FenceOptions.lasting(STANDING)));
    CompletableFuture<Long> versioned =
        waiting(collection, key, Mutation.put(hex("01")).withVersion(version));
    CompletableFuture<Row> reasserted =
        collection.gate().reassert(freshKey(), 0).toCompletableFuture();
    assertThat(read(collection, key)).isNull();
    assertThat(versioned).isNotDone();
    assertThat(reasserted).isNotDone();
    join(collection.gate().lift("a"));
    assertThat(join(versioned)).isEqualTo(version);
    assertThat(join(reasserted).isTombstone()).isTrue();
  }

  @Test
  void write_whileFenced_isCertainlyNotAppliedAtItsDeadline() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    join(collection.gate().fence("a", FenceOptions.lasting(STANDING)));
    CollectionFenced error =
        Await.failure(
            CollectionFenced.class,
            () ->
                collection.write(
                    key, Mutation.put(hex("01")), Call.within(Duration.ofMillis(500))));
    assertThat(error.collection()).isEqualTo(collection.name());
    assertThat(error.remaining()).isBetween(Duration.ZERO, STANDING);
    join(collection.gate().lift("a"));
    assertThat(read(collection, key)).isNull();
  }

  @Test
  void write_waitingWhenTheStoreIsClosed_endsAndTheOthersWait() {
    StoreCollection collection = fresh(pointLayout());
    join(collection.gate().fence("a", FenceOptions.lasting(STANDING)));
    Store other = tested().fixture.open();
    StoreCollection there = join(other.open(collection.name(), pointLayout(), Claim.ACTIVE));
    CompletableFuture<Long> closed = waiting(there, freshKey(), Mutation.put(hex("01")));
    CompletableFuture<Long> waiting = waiting(collection, freshKey(), Mutation.put(hex("02")));
    other.close();
    Await.until("the write of the closed store ends", ENDS_WITHIN, closed::isDone);
    Await.failure(() -> closed);
    assertThat(waiting).isNotDone();
    join(collection.gate().lift("a"));
    join(waiting);
  }

  @Test
  void fence_deadlinePassed_liftsItself() {
    StoreCollection collection = fresh(pointLayout());
    Fence fence = join(collection.gate().fence("a", FenceOptions.lasting(Duration.ofSeconds(1))));
    StoreKey key = freshKey();
    CompletableFuture<Long> waiting = waiting(collection, key, Mutation.put(hex("01")));
    awaitPast(fence.deadline());
    assertThat(join(waiting)).isGreaterThan(fence.version());
    assertThat(join(collection.gate().state()).fence()).isNull();
    assertPermanent(() -> collection.gate().move("a"));
    assertThat(join(collection.gate().state()).phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void fence_lateRequestOfALiftedAttempt_raisesNone() {
    Gate gate = fresh(pointLayout()).gate();
    join(gate.fence("a", FenceOptions.lasting(STANDING)));
    join(gate.lift("a"));
    assertPermanent(() -> gate.fence("a", FenceOptions.lasting(STANDING)));
    assertThat(join(gate.state()).fence()).isNull();
    assertThat(join(gate.fence("b", FenceOptions.lasting(STANDING))).attempt()).isEqualTo("b");
  }

  @Test
  void lift_beforeTheFenceArrives_keepsItFromStanding() {
    Gate gate = fresh(pointLayout()).gate();
    join(gate.lift("a"));
    assertPermanent(() -> gate.fence("a", FenceOptions.lasting(STANDING)));
    assertThat(join(gate.state()).fence()).isNull();
  }

  @Test
  void lift_otherAttempt_leavesTheFence() {
    Gate gate = fresh(pointLayout()).gate();
    Fence fence = join(gate.fence("a", FenceOptions.lasting(STANDING)));
    join(gate.lift("b"));
    assertThat(join(gate.state()).fence()).isEqualTo(fence);
    assertPermanent(() -> gate.move("b"));
    assertThat(join(gate.state()).fence()).isEqualTo(fence);
  }

  @Test
  void move_standingFence_handsOverForEver() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    write(collection, key, Mutation.put(hex("01")));
    Fence fence = join(collection.gate().fence("a", FenceOptions.lasting(STANDING)));
    List<CompletionStage<Long>> waiting = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      waiting.add(collection.write(key, Mutation.put(hex("02")), call()));
    }
    State moved = join(collection.gate().move("a"));
    assertThat(moved)
        .isEqualTo(
            State.first()
                .withEpoch(1)
                .withPhase(Phase.NEW_ONLY)
                .withAcceptMin(1)
                .withFloor(fence.version())
                .withVersionCeiling(moved.versionCeiling()));
    for (CompletionStage<Long> write : waiting) {
      StalePhase error = Await.failure(StalePhase.class, () -> write);
      assertThat(error.phase()).isEqualTo(Phase.NEW_ONLY);
      assertThat(error.epoch()).isEqualTo(1);
      assertThat(error.floor()).isEqualTo(fence.version());
    }
    Await.failure(StalePhase.class, () -> collection.get(key, call()));
    Await.failure(StalePhase.class, () -> collection.write(key, Mutation.put(hex("03")), call()));
    Await.failure(
        StalePhase.class,
        () -> collection.write(key, Mutation.put(hex("03")), call().withEpoch(1)));
    assertThat(join(collection.gate().state())).isEqualTo(moved);
  }

  @Test
  void move_again_givesTheSame_andNothingLeadsBack() {
    Gate gate = fresh(pointLayout()).gate();
    join(gate.fence("a", FenceOptions.lasting(STANDING)));
    State moved = join(gate.move("a"));
    assertThat(join(gate.move("a"))).isEqualTo(moved);
    Await.failure(StalePhase.class, () -> gate.move("b"));
    Await.failure(StalePhase.class, () -> gate.fence("b", FenceOptions.lasting(STANDING)));
    Await.failure(StalePhase.class, () -> gate.lift("a"));
    Await.failure(StalePhase.class, () -> gate.seal(0));
    assertThat(join(gate.state())).isEqualTo(moved);
  }

  @Test
  void move_withoutFence_isPermanent() {
    Gate gate = fresh(pointLayout()).gate();
    assertPermanent(() -> gate.move("a"));
    join(gate.fence("a", FenceOptions.lasting(STANDING)));
    join(gate.lift("a"));
    assertPermanent(() -> gate.move("a"));
    assertThat(join(gate.state()).phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void compareAndSet_whileFenced_isTransient() {
    Gate gate = fresh(pointLayout()).gate();
    join(gate.fence("a", FenceOptions.lasting(STANDING)));
    State now = join(gate.state());
    State next = now.withEpoch(1).withPhase(Phase.SHADOW_WRITE);
    Await.failure(Transient.class, () -> gate.compareAndSet(now, next));
    Await.failure(Transient.class, () -> gate.seal(0));
    assertThat(join(gate.state())).isEqualTo(now);
  }

  @Test
  @Needs({Capability.GATE, Capability.FENCING, Capability.CHANGE_SOURCE})
  void changes_fenceAndLift_areRecordsInCommitOrder() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    long first = write(collection, key, Mutation.put(hex("01")));
    Fence fence = join(collection.gate().fence("a", FenceOptions.lasting(STANDING)));
    CompletableFuture<Long> waiting = waiting(collection, key, Mutation.put(hex("02")));
    ChangeSource changes = collection.changes();
    assertThat(join(changes.read(0, 1_000, Duration.ZERO)))
        .isEqualTo(data(1, Row.of(key, first, hex("01"), null)));
    assertThat(join(changes.read(1, 1_000, Duration.ZERO)))
        .isEqualTo(ChangeSource.Fenced.of(fence));
    assertThat(fence.position()).isEqualTo(2);
    assertThat(join(changes.read(2, 1_000, Duration.ZERO)))
        .isEqualTo(ChangeSource.Data.of(List.of(), 2));
    join(collection.gate().lift("a"));
    long second = join(waiting);
    assertThat(join(changes.read(2, 1_000, Duration.ZERO)))
        .isEqualTo(ChangeSource.Lifted.of("a", 3));
    assertThat(join(changes.read(3, 1_000, Duration.ZERO)))
        .isEqualTo(data(4, Row.of(key, second, hex("02"), null)));
  }

  @Test
  @Needs({Capability.GATE, Capability.FENCING, Capability.CHANGE_SOURCE})
  void changes_afterMove_areStillRead() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    long version = write(collection, key, Mutation.put(hex("01")));
    Fence fence = join(collection.gate().fence("a", FenceOptions.lasting(STANDING)));
    join(collection.gate().move("a"));
    assertThat(join(collection.changes().read(0, 1_000, Duration.ZERO)))
        .isEqualTo(data(1, Row.of(key, version, hex("01"), null)));
    assertThat(join(collection.changes().read(1, 1_000, Duration.ZERO)))
        .isEqualTo(ChangeSource.Fenced.of(fence));
  }

  private static ChangeSource.Data data(long position, Row row) {
    return ChangeSource.Data.of(List.of(ChangeSource.Change.of(position, row)), position);
  }

  private static CompletableFuture<Long> waiting(
      StoreCollection collection, StoreKey key, Mutation mutation) {
    return collection.write(key, mutation, call()).toCompletableFuture();
  }
}
