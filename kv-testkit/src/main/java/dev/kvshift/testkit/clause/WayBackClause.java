package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Capability;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A leader that hands a collection to the clocks, and leads again. */
@Needs({
  Capability.GATE,
  Capability.FENCING,
  Capability.VERSIONED_WRITES,
  Capability.TOMBSTONE_READS
})
public abstract class WayBackClause extends Clause {
  private static final FenceOptions LASTING = FenceOptions.lasting(Duration.ofSeconds(60));

  @Test
  void move_wayBackKept_handsToTheClocks() {
    StoreCollection collection = fresh(pointLayout());
    Gate gate = collection.gate();
    long before = write(collection, freshKey(), Mutation.put(hex("01")));
    State moved = move(gate);
    assertThat(moved.phase()).isEqualTo(Phase.NEW_PRIMARY);
    assertThat(moved.isClockOrdered()).isTrue();
    assertThat(moved.epoch()).isEqualTo(1);
    assertThat(moved.acceptMin()).isEqualTo(1);
    assertThat(moved.floor()).isGreaterThan(before);
    assertThat(moved.fence()).isNull();
    assertThat(join(gate.move("a"))).isEqualTo(moved);
    assertThat(join(gate.state())).isEqualTo(moved);
  }

  @Test
  void seal_wayBackKept_handsToTheClocks() {
    StoreCollection collection = fresh(pointLayout());
    Gate gate = collection.gate();
    keepWayBack(gate);
    State last = GateStepsClause.toNewPrimary(gate);
    State sealed = join(gate.seal(last.epoch()));
    assertThat(sealed.phase()).isEqualTo(Phase.NEW_PRIMARY);
    assertThat(sealed.isClockOrdered()).isTrue();
    assertThat(sealed.sealed()).isFalse();
    assertThat(join(gate.seal(last.epoch()))).isEqualTo(sealed);
    Row put = put(collection, freshKey(), sealed, sealed.floor() + 5);
    assertThat(read(collection, put.key(), sealed.epoch())).isEqualTo(put);
  }

  @Test
  void write_clockOrdered_needsItsVersionAndTheEpoch() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    State moved = move(collection.gate());
    refused(collection, key, Mutation.put(hex("01")), moved.epoch());
    refused(collection, key, Mutation.put(hex("01")).withVersion(moved.floor() + 5), 0);
    assertThat(read(collection, key, moved.epoch())).isNull();
    Row put = put(collection, key, moved, moved.floor() + 5);
    assertThat(read(collection, key, moved.epoch())).isEqualTo(put);
    put(collection, key, moved, moved.floor() + 4);
    assertThat(read(collection, key, moved.epoch())).isEqualTo(put);
  }

  @Test
  void compareAndSet_clockOrdered_leadsAgainAboveEveryVersion() {
    StoreCollection collection = fresh(pointLayout());
    Gate gate = collection.gate();
    State moved = move(gate);
    StoreKey key = freshKey();
    Row ahead = put(collection, key, moved, moved.floor() + 400_000);
    State led = leadAgain(gate);
    assertThat(led.phase()).isEqualTo(Phase.LEGACY);
    assertThat(led.isClockOrdered()).isFalse();
    assertThat(led.keepsWayBack()).isFalse();
    assertThat(led.floor()).isZero();
    long next = join(collection.write(key, Mutation.put(hex("02")), call(led.epoch())));
    assertThat(next).isGreaterThan(ahead.version());
    assertThat(Objects.requireNonNull(read(collection, key, led.epoch())).version())
        .isEqualTo(next);
  }

  @Test
  void write_epochBeforeTheWayBack_isRefusedForEver() {
    StoreCollection collection = fresh(pointLayout());
    Gate gate = collection.gate();
    StoreKey key = freshKey();
    State moved = move(gate);
    State led = leadAgain(gate);
    Mutation late = Mutation.put(hex("01")).withVersion(moved.floor() + 5);
    refused(collection, key, late, moved.epoch());
    keepWayBack(gate);
    join(gate.fence("b", LASTING));
    State again = join(gate.move("b"));
    assertThat(again.isClockOrdered()).isTrue();
    refused(collection, key, late, moved.epoch());
    refused(collection, key, late, led.epoch());
    assertThat(read(collection, key, again.epoch())).isNull();
  }

  @Test
  void compareAndSet_clockOrdered_takesNoOtherStep() {
    Gate gate = fresh(pointLayout()).gate();
    State moved = move(gate);
    State back = back(moved);
    for (State wrong :
        List.of(
            GateStepsClause.step(moved, Phase.NEW_READ),
            back.withPhase(Phase.SHADOW_WRITE),
            back.withIncarnation(moved.incarnation()),
            back.withAcceptMin(moved.epoch()),
            back.withEpoch(moved.epoch()).withAcceptMin(moved.epoch()))) {
      assertPermanent(() -> gate.compareAndSet(moved, wrong));
      assertThat(join(gate.state())).isEqualTo(moved);
    }
  }

  @Test
  void leader_clockOrdered_fencesAndReassertsNothing() {
    StoreCollection collection = fresh(pointLayout());
    Gate gate = collection.gate();
    State moved = move(gate);
    Await.failure(StalePhase.class, () -> gate.fence("b", LASTING));
    Await.failure(StalePhase.class, () -> gate.lift("b"));
    Await.failure(StalePhase.class, () -> gate.move("b"));
    Await.failure(StalePhase.class, () -> gate.reassert(freshKey(), 0));
    assertThat(join(gate.state())).isEqualTo(moved);
  }

  @Test
  void move_attemptBeforeTheWayBack_movesNothing() {
    Gate gate = fresh(pointLayout()).gate();
    move(gate);
    State led = leadAgain(gate);
    assertPermanent(() -> gate.move("a"));
    assertPermanent(() -> gate.fence("a", LASTING));
    assertThat(join(gate.state())).isEqualTo(led);
  }

  @Test
  void seal_clockOrdered_endsTheWayBack() {
    StoreCollection collection = fresh(pointLayout());
    Gate gate = collection.gate();
    State moved = move(gate);
    State sealed = join(gate.seal(moved.epoch()));
    assertThat(sealed.phase()).isEqualTo(Phase.NEW_ONLY);
    assertThat(sealed.isClockOrdered()).isFalse();
    assertThat(sealed.floor()).isEqualTo(moved.floor());
    assertThat(join(gate.seal(moved.epoch()))).isEqualTo(sealed);
    refused(
        collection,
        freshKey(),
        Mutation.put(hex("01")).withVersion(moved.floor() + 5),
        sealed.epoch());
    Await.failure(StalePhase.class, () -> gate.compareAndSet(sealed, back(sealed)));
  }

  private static void keepWayBack(Gate gate) {
    State now = join(gate.state());
    assertThat(join(gate.compareAndSet(now, now.withWayBack(true)))).isTrue();
    assertThat(join(gate.state())).isEqualTo(now.withWayBack(true));
  }

  private static State move(Gate gate) {
    keepWayBack(gate);
    join(gate.fence("a", LASTING));
    return join(gate.move("a"));
  }

  private static State back(State moved) {
    long epoch = moved.epoch() + 3; // of the steps in between, which the leader does not see
    return State.first()
        .withEpoch(epoch)
        .withAcceptMin(epoch)
        .withIncarnation(moved.incarnation() + 1);
  }

  private static State leadAgain(Gate gate) {
    State moved = join(gate.state());
    assertThat(join(gate.compareAndSet(moved, back(moved)))).isTrue();
    return join(gate.state());
  }

  private Row put(StoreCollection collection, StoreKey key, State state, long version) {
    Mutation put = Mutation.put(hex("01")).withVersion(version);
    join(collection.write(key, put, call(state.epoch())));
    return Row.of(key, version, put.value(), null);
  }

  private void refused(StoreCollection collection, StoreKey key, Mutation mutation, long epoch) {
    Await.failure(StalePhase.class, () -> collection.write(key, mutation, call(epoch)));
  }

  private static @Nullable Row read(StoreCollection collection, StoreKey key, long epoch) {
    return Await.<@Nullable Row>join(collection.get(key, call(epoch)));
  }

  private static Call call(long epoch) {
    return Call.within(Duration.ofSeconds(10)).withEpoch(epoch);
  }
}
