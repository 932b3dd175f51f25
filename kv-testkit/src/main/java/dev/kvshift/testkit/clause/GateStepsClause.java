package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException.Permanent;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.Instance;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.SideCounts;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * The record of a gate, by which one collection is controlled, and the leases of its instances,
 * wherever the gate is kept.
 */
@Needs(Capability.GATE)
public abstract class GateStepsClause extends Clause {
  @Test
  void state_newCollection_isLegacyAtEpochZero() {
    State state = join(fresh(pointLayout()).gate().state());
    assertThat(state).isEqualTo(State.first().withVersionCeiling(state.versionCeiling()));
  }

  @Test
  void compareAndSet_expectedState_stepsAndOthersSeeIt() {
    StoreCollection collection = fresh(pointLayout());
    State before = join(collection.gate().state());
    assertThat(join(collection.gate().compareAndSet(before, step(before, Phase.SHADOW_WRITE))))
        .isTrue();
    try (Store other = tested().fixture.open()) {
      State seen =
          join(join(other.open(collection.name(), pointLayout(), Claim.ACTIVE)).gate().state());
      assertThat(seen)
          .isEqualTo(
              step(State.first(), Phase.SHADOW_WRITE).withVersionCeiling(seen.versionCeiling()));
    }
  }

  @Test
  void compareAndSet_outdatedState_changesNothing() {
    Gate gate = fresh(pointLayout()).gate();
    State first = join(gate.state());
    State second = to(gate, Phase.SHADOW_WRITE);
    assertThat(join(gate.compareAndSet(first, step(first, Phase.SHADOW_WRITE)))).isFalse();
    assertThat(join(gate.state())).isEqualTo(second);
  }

  @Test
  void compareAndSet_otherAcceptMin_changesNothing() {
    Gate gate = fresh(pointLayout()).gate();
    State now = to(gate, Phase.SHADOW_WRITE);
    State expected = now.withAcceptMin(now.epoch());
    assertThat(join(gate.compareAndSet(expected, step(expected, Phase.DUAL_WRITE)))).isFalse();
    assertThat(join(gate.state())).isEqualTo(now);
  }

  @Test
  void compareAndSet_membersOfTheLeader_areNotTakenFromTheCaller() {
    Gate gate = fresh(pointLayout()).gate();
    State now = join(gate.state());
    State next = step(now, Phase.SHADOW_WRITE);
    State more = next.withFloor(5).withApplied(7).withVersionCeiling(9).withSealed(true);
    assertThat(join(gate.compareAndSet(now, more))).isTrue();
    State state = join(gate.state());
    assertThat(state).isEqualTo(next.withVersionCeiling(state.versionCeiling()));
  }

  @Test
  void compareAndSet_fallingAcceptMin_isPermanentAndChangesNothing() {
    Gate gate = fresh(pointLayout()).gate();
    to(gate, Phase.SHADOW_WRITE);
    State now = acceptOnlyNow(gate);
    State next = with(now, now.epoch() + 1, now.phase(), now.acceptMin() - 1, 1);
    assertPermanent(() -> gate.compareAndSet(now, next));
    assertThat(join(gate.state())).isEqualTo(now);
  }

  @Test
  void compareAndSet_manyAtOnce_oneWins() {
    Gate gate = fresh(pointLayout()).gate();
    State before = join(gate.state());
    List<CompletionStage<Boolean>> attempts = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      attempts.add(gate.compareAndSet(before, step(before, Phase.SHADOW_WRITE)));
    }
    assertThat(attempts.stream().filter(Clause::join).count()).isEqualTo(1);
  }

  @Test
  void compareAndSet_upAndDownAllPhases_works() {
    Gate gate = fresh(pointLayout()).gate();
    List<Phase> phases = List.of(Phase.values());
    for (int i = 1; i < phases.size() - 1; i++) {
      assertThat(to(gate, phases.get(i)).phase()).isEqualTo(phases.get(i));
    }
    for (int i = phases.size() - 3; i >= 0; i--) {
      assertThat(to(gate, phases.get(i)).phase()).isEqualTo(phases.get(i));
    }
    assertThat(join(gate.state()).epoch()).isEqualTo(10);
  }

  @Test
  void compareAndSet_whatIsNoStep_isPermanentAndChangesNothing() {
    Gate gate = fresh(pointLayout()).gate();
    to(gate, Phase.SHADOW_WRITE);
    State now = to(gate, Phase.DUAL_WRITE);
    List<State> wrong =
        List.of(
            with(now, now.epoch() + 1, Phase.NEW_READ, now.acceptMin(), 1),
            with(now, now.epoch() + 1, Phase.LEGACY, now.acceptMin(), 1),
            with(now, now.epoch(), Phase.SHADOW_READ, now.acceptMin(), 1),
            with(now, now.epoch() - 1, Phase.DUAL_WRITE, now.acceptMin(), 1),
            with(now, now.epoch(), Phase.DUAL_WRITE, now.epoch() + 1, 1),
            with(now, now.epoch() + 1, Phase.DUAL_WRITE, now.acceptMin(), 0));
    for (State next : wrong) {
      Await.failure(Permanent.class, () -> gate.compareAndSet(now, next));
      assertThat(join(gate.state())).isEqualTo(now);
    }
  }

  @Test
  void compareAndSet_intoNewOnly_isPermanent() {
    Gate gate = fresh(pointLayout()).gate();
    List<Phase> phases = List.of(Phase.values());
    for (int i = 1; i < phases.size() - 1; i++) {
      to(gate, phases.get(i));
    }
    State now = join(gate.state());
    assertThat(now.phase()).isEqualTo(Phase.NEW_PRIMARY);
    Await.failure(Permanent.class, () -> gate.compareAndSet(now, step(now, Phase.NEW_ONLY)));
    assertThat(join(gate.state())).isEqualTo(now);
  }

  @Test
  void compareAndSet_copy_isKeptAndChangesInLegacyAlone() {
    Gate gate = fresh(pointLayout()).gate();
    Copy copy = Copy.draw("kit");
    State first = join(gate.state());
    assertThat(first.copy()).isNull();
    assertThat(join(gate.compareAndSet(first, first.withCopy(copy)))).isTrue();
    assertThat(join(gate.state()).copy()).isEqualTo(copy);
    State shadow = to(gate, Phase.SHADOW_WRITE);
    assertThat(shadow.copy()).isEqualTo(copy);
    assertPermanent(() -> gate.compareAndSet(shadow, shadow.withCopy(Copy.draw("kit"))));
    assertPermanent(() -> gate.compareAndSet(shadow, shadow.withCopy(null)));
    assertThat(join(gate.state())).isEqualTo(shadow);
  }

  @Test
  void compareAndSet_incarnation_isKept() {
    Gate gate = fresh(pointLayout()).gate();
    State now = join(gate.state());
    assertThat(join(gate.compareAndSet(now, with(now, 1, Phase.LEGACY, 0, 5)))).isTrue();
    assertThat(join(gate.state()).incarnation()).isEqualTo(5);
  }

  @Test
  void report_instance_isListedWithWhatItSays() {
    StoreCollection collection = fresh(pointLayout());
    Gate gate = collection.gate();
    assertThat(join(gate.instances())).isEmpty();
    to(gate, Phase.SHADOW_WRITE);
    Instant before = serverTime();
    Map<String, State> states = join(store().report(report("one", collection, 0)));
    assertThat(states).containsExactly(entry(collection.name(), join(gate.state())));
    join(store().report(report("two", collection, 1)));
    InstanceReport renewed = report("one", collection, 1);
    join(store().report(renewed));
    List<Instance> instances = join(gate.instances());
    assertThat(instances).extracting(Instance::name).containsExactly("one", "two");
    assertThat(instances.get(0).report().service()).isEqualTo(renewed.service());
    assertThat(instances.get(0).report().library()).isEqualTo(renewed.library());
    assertThat(instances.get(0).report().newestPhase()).isEqualTo(renewed.newestPhase());
    assertThat(instances.get(0).use()).isEqualTo(renewed.uses().get(collection.name()));
    assertThat(instances)
        .allSatisfy(
            instance ->
                assertThat(instance.leaseEnds())
                    .isBetween(
                        before.plus(Gate.LEASE).minusSeconds(1),
                        serverTime().plus(Gate.LEASE).plusSeconds(1)));
  }

  @Test
  void report_notRenewed_isGoneAfterItsLease() {
    StoreCollection collection = fresh(pointLayout());
    join(store().report(report("one", collection, 0)));
    awaitPast(serverTime().plus(Gate.LEASE).plusSeconds(1));
    Await.until("the instance is gone", () -> join(collection.gate().instances()).isEmpty());
  }

  @Test
  void compareAndSet_stepUpWhileAnInstanceCannotFollow_isRefused() {
    StoreCollection collection = fresh(pointLayout());
    Gate gate = collection.gate();
    Copy copy = prepare(gate);
    State now = join(gate.state());
    State next = step(now, Phase.SHADOW_WRITE);
    join(store().report(report("old", collection, 0).withNewestPhase(Phase.LEGACY)));
    assertNotReady("old", () -> gate.compareAndSet(now, next));
    join(store().report(report("old", collection, 0)));
    assertNotReady("has not opened its new side", () -> gate.compareAndSet(now, next));
    join(store().report(ready("old", collection, Copy.draw("kit"))));
    assertNotReady("holds copy", () -> gate.compareAndSet(now, next));
    assertThat(join(gate.state())).isEqualTo(now);
    join(store().report(ready("old", collection, copy)));
    assertThat(join(gate.compareAndSet(now, next))).isTrue();
  }

  @Test
  void compareAndSet_stepDownWhileAnInstanceCannotFollow_isTaken() {
    StoreCollection collection = fresh(pointLayout());
    Gate gate = collection.gate();
    prepare(gate);
    State now = to(gate, Phase.SHADOW_WRITE);
    join(store().report(report("old", collection, 0)));
    assertThat(join(gate.compareAndSet(now, step(now, Phase.LEGACY)))).isTrue();
  }

  @Test
  void state_closedStore_isPermanent() {
    StoreCollection collection = fresh(pointLayout());
    Store other = tested().fixture.open();
    Gate gate = join(other.open(collection.name(), pointLayout(), Claim.ACTIVE)).gate();
    State now = join(gate.state());
    other.close();
    assertPermanent(gate::state);
    assertPermanent(() -> gate.compareAndSet(now, step(now, Phase.SHADOW_WRITE)));
    assertPermanent(() -> other.report(report("one", collection, 0)));
    assertThat(join(collection.gate().state()).phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void seal_otherEpoch_isPermanentAndChangesNothing() {
    StoreCollection collection = fresh(pointLayout());
    State now = to(collection.gate(), Phase.SHADOW_WRITE);
    assertPermanent(() -> collection.gate().seal(0));
    assertPermanent(() -> collection.gate().seal(2));
    assertThat(join(collection.gate().state())).isEqualTo(now);
  }

  @Test
  void seal_beforeNewPrimary_isPermanentAndChangesNothing() {
    Gate gate = fresh(pointLayout()).gate();
    assertPermanent(() -> gate.seal(0));
    State last = State.first();
    for (Phase phase : Phase.values()) {
      if (phase != Phase.LEGACY && phase != Phase.NEW_ONLY) {
        State now = to(gate, phase);
        assertPermanent(() -> gate.seal(now.epoch()));
        last = now;
      }
    }
    assertThat(join(gate.state())).isEqualTo(last);
    acceptOnlyNow(gate);
    assertThat(join(gate.seal(last.epoch())).phase()).isEqualTo(Phase.NEW_ONLY);
  }

  static Copy prepare(Gate gate) {
    State now = join(gate.state());
    Copy copy = Copy.draw("kit");
    assertThat(join(gate.compareAndSet(now, now.withCopy(copy)))).isTrue();
    return copy;
  }

  static InstanceReport report(String instance, StoreCollection of, long acknowledged) {
    return InstanceReport.of(instance, "kit")
        .withLibrary("1.2")
        .withNewestPhase(Phase.NEW_ONLY)
        .withUse(
            of.name(),
            InstanceReport.Use.acknowledging(acknowledged)
                .withLayout(of.layout())
                .withCounts(
                    SideCounts.NONE.withRequests(9, 3).withMissHits(2).withComparisons(8, 4)));
  }

  static InstanceReport ready(String instance, StoreCollection of, Copy copy) {
    InstanceReport report = report(instance, of, 0);
    return report.withUse(
        of.name(),
        Objects.requireNonNull(report.uses().get(of.name()))
            .withCopy(copy)
            .withSkew(Duration.ofMillis(3)));
  }

  static void assertNotReady(String words, Supplier<CompletionStage<?>> request) {
    assertThat(Await.failure(InstancesNotReady.class, request)).hasMessageContaining(words);
  }

  static State to(Gate gate, Phase phase) {
    State now = join(gate.state());
    assertThat(join(gate.compareAndSet(now, step(now, phase)))).isTrue();
    return join(gate.state());
  }

  static State toNewPrimary(Gate gate) {
    for (Phase phase : Phase.values()) {
      if (phase != Phase.LEGACY && phase != Phase.NEW_ONLY) {
        to(gate, phase);
      }
    }
    return acceptOnlyNow(gate);
  }

  static State acceptOnlyNow(Gate gate) {
    State now = join(gate.state());
    State next = with(now, now.epoch(), now.phase(), now.epoch(), now.incarnation());
    assertThat(join(gate.compareAndSet(now, next))).isTrue();
    return join(gate.state());
  }

  static State step(State now, Phase phase) {
    return with(now, now.epoch() + 1, phase, now.acceptMin(), now.incarnation());
  }

  static State with(State now, long epoch, Phase phase, long acceptMin, long incarnation) {
    return now.withEpoch(epoch)
        .withPhase(phase)
        .withAcceptMin(acceptMin)
        .withIncarnation(incarnation);
  }
}
