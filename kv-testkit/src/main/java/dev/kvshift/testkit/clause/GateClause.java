package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException.Permanent;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.Instance;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.SideCounts;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.fixture.TestCopy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The gate, by which the leader controls one collection: phases, epochs, leases, seal, reassert.
 */
@Needs(Capability.GATE)
public abstract class GateClause extends Clause {
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

  @ParameterizedTest
  @EnumSource(names = {"SHADOW_WRITE", "DUAL_WRITE", "NEW_READ", "NEW_PRIMARY"})
  void request_epochBelowAcceptMin_isStaleAndNotApplied(Phase phase) {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    write(collection, key, Mutation.put(hex("01")));
    for (Phase next : List.of(Phase.values())) {
      if (next != Phase.LEGACY && next.compareTo(phase) <= 0) {
        to(collection.gate(), next);
      }
    }
    State state = acceptOnlyNow(collection.gate());
    for (long epoch : List.of(0L, state.epoch() - 1)) {
      Call stale = call().withEpoch(epoch);
      assertStale(collection, state, collection.get(key, stale));
      assertStale(collection, state, collection.write(key, Mutation.put(hex("02")), stale));
      assertStale(collection, state, collection.write(key, Mutation.delete(), stale));
    }
    Call current = call().withEpoch(state.epoch());
    Row row = Await.<Row>join(collection.get(key, current).thenApply(Objects::requireNonNull));
    assertThat(row.value()).isEqualTo(hex("01"));
    join(collection.write(key, Mutation.put(hex("03")), current));
  }

  @Test
  @Needs({Capability.GATE, Capability.VERSIONED_WRITES, Capability.RANGES})
  void rangeAndVersionedWrite_epochBelowAcceptMin_areStale() {
    StoreCollection collection = fresh(rangeLayout());
    to(collection.gate(), Phase.SHADOW_WRITE);
    State state = acceptOnlyNow(collection.gate());
    StoreKey key = StoreKey.of(freshMain(), hex("10"));
    assertStale(
        collection,
        state,
        collection.range(key.main(), Bytes.empty(), Range.all(), PageLimit.entries(1), call()));
    long version = versionAgo(Duration.ofMinutes(1));
    assertStale(
        collection,
        state,
        collection.write(key, Mutation.put(hex("01")).withVersion(version), call()));
  }

  @Test
  void request_staleAfterPrepare_namesTheCopy() {
    StoreCollection collection = fresh(pointLayout());
    Copy copy = prepare(collection.gate());
    to(collection.gate(), Phase.SHADOW_WRITE);
    State state = acceptOnlyNow(collection.gate());
    assertThat(state.copy()).isEqualTo(copy);
    assertStale(collection, state, collection.get(freshKey(), call()));
    assertStale(collection, state, collection.write(freshKey(), Mutation.delete(), call()));
  }

  @Test
  void request_epochBetweenAcceptMinAndNow_isServed() {
    StoreCollection collection = fresh(pointLayout());
    to(collection.gate(), Phase.SHADOW_WRITE);
    to(collection.gate(), Phase.DUAL_WRITE);
    State now = join(collection.gate().state());
    assertThat(join(collection.gate().compareAndSet(now, with(now, 2, Phase.DUAL_WRITE, 1, 1))))
        .isTrue();
    StoreKey key = freshKey();
    join(collection.write(key, Mutation.put(hex("01")), call().withEpoch(1)));
    join(collection.write(key, Mutation.put(hex("02")), call().withEpoch(2)));
    Await.failure(StalePhase.class, () -> collection.get(key, call()));
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
  void report_severalCollections_isOneLeaseForAll() {
    StoreCollection first = fresh(pointLayout());
    StoreCollection second = fresh(pointLayout());
    to(second.gate(), Phase.SHADOW_WRITE);
    InstanceReport report =
        report("one", first, 0)
            .withUse(second.name(), InstanceReport.Use.acknowledging(1))
            .withUse("not-there", InstanceReport.Use.acknowledging(0));
    Map<String, State> states = join(store().report(report));
    assertThat(states)
        .containsOnly(
            entry(first.name(), join(first.gate().state())),
            entry(second.name(), join(second.gate().state())));
    assertThat(join(first.gate().instances())).extracting(Instance::name).containsExactly("one");
    assertThat(join(second.gate().instances())).extracting(Instance::name).containsExactly("one");
  }

  @Test
  void report_notRenewed_isGoneAfterItsLease() {
    StoreCollection collection = fresh(pointLayout());
    join(store().report(report("one", collection, 0)));
    awaitPast(serverTime().plus(Gate.LEASE).plusSeconds(1));
    Await.until("the instance is gone", () -> join(collection.gate().instances()).isEmpty());
  }

  @Test
  void report_futureEpoch_isPermanent() {
    StoreCollection collection = fresh(pointLayout());
    assertPermanent(() -> store().report(report("one", collection, 1)));
    assertThat(join(collection.gate().instances())).isEmpty();
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
  @Needs({Capability.GATE, Capability.FENCING})
  void fenceAndMove_whileAnInstanceCannotFollow_areRefused() {
    StoreCollection collection = fresh(pointLayout());
    Gate gate = collection.gate();
    Copy copy = prepare(gate);
    FenceOptions options = FenceOptions.lasting(Duration.ofSeconds(30));
    join(store().report(report("one", collection, 0)));
    assertNotReady("one", () -> gate.fence("a", options));
    assertThat(join(gate.state()).fence()).isNull();
    join(store().report(ready("one", collection, copy)));
    join(gate.fence("a", options));
    join(store().report(report("late", collection, 0)));
    assertNotReady("late", () -> gate.move("a"));
    assertThat(join(gate.state()).phase()).isEqualTo(Phase.LEGACY);
    join(gate.lift("a"));
    join(store().report(report("late", collection, 0)));
    join(gate.fence("b", options.givingUp(Set.of("kit"))));
    assertThat(join(gate.move("b")).phase()).isEqualTo(Phase.NEW_ONLY);
  }

  @Test
  @Needs({Capability.GATE, Capability.FENCING})
  void fence_givingUpAnother_isStillRefused() {
    StoreCollection collection = fresh(pointLayout());
    Gate gate = collection.gate();
    prepare(gate);
    join(store().report(report("one", collection, 0)));
    FenceOptions options =
        FenceOptions.lasting(Duration.ofSeconds(30)).givingUp(Set.of("another service"));
    assertNotReady("one", () -> gate.fence("a", options));
    assertThat(join(gate.state()).fence()).isNull();
  }

  @Test
  @Needs({Capability.GATE, Capability.FENCING})
  void moveAll_whileAnInstanceCannotFollow_movesNone() {
    StoreCollection first = fresh(pointLayout());
    StoreCollection second = fresh(pointLayout());
    prepare(second.gate());
    FenceOptions options = FenceOptions.lasting(Duration.ofSeconds(30));
    join(first.gate().fence("a", options));
    join(second.gate().fence("b", options));
    join(store().report(report("late", second, 0)));
    assertNotReady("late", () -> store().moveAll(Map.of(first.name(), "a", second.name(), "b")));
    for (StoreCollection each : List.of(first, second)) {
      assertThat(join(each.gate().state()).phase()).isEqualTo(Phase.LEGACY);
    }
  }

  @Test
  @Needs({Capability.GATE, Capability.FENCING})
  void moveAll_oneWithoutItsFence_movesNone() {
    StoreCollection first = fresh(pointLayout());
    StoreCollection second = fresh(pointLayout());
    FenceOptions options = FenceOptions.lasting(Duration.ofSeconds(30));
    join(first.gate().fence("a", options));
    Map<String, String> attempts = Map.of(first.name(), "a", second.name(), "b");
    assertPermanent(() -> store().moveAll(attempts));
    assertThat(join(first.gate().state()).phase()).isEqualTo(Phase.LEGACY);
    join(second.gate().fence("b", options));
    Map<String, State> moved = join(store().moveAll(attempts));
    assertThat(moved)
        .containsOnly(
            entry(first.name(), join(first.gate().state())),
            entry(second.name(), join(second.gate().state())));
    assertThat(moved.values()).allMatch(state -> state.phase() == Phase.NEW_ONLY);
    assertThat(join(store().moveAll(attempts))).isEqualTo(moved);
  }

  @Test
  void applied_watermark_risesAndNeverFalls() {
    StoreCollection collection = fresh(pointLayout());
    Gate gate = collection.gate();
    long first = write(collection, freshKey(), Mutation.put(hex("01")));
    long last = write(collection, freshKey(), Mutation.put(hex("02")));
    assertThat(join(gate.state()).applied()).isZero();
    join(gate.applied(last));
    join(gate.applied(first));
    assertThat(join(gate.state()).applied()).isEqualTo(last);
    long ceiling = join(gate.state()).versionCeiling();
    assertPermanent(() -> gate.applied(ceiling + 1));
    assertThat(join(gate.state()).applied()).isEqualTo(last);
  }

  @Test
  void listen_stepOfAnother_isHeardWithTheNextReply() {
    StoreCollection collection = fresh(pointLayout());
    AtomicLong heard = new AtomicLong();
    collection.gate().listen(heard::set);
    try (Store other = tested().fixture.open()) {
      Gate theirs = join(other.open(collection.name(), pointLayout(), Claim.ACTIVE)).gate();
      to(theirs, Phase.SHADOW_WRITE);
    }
    join(collection.get(freshKey(), call()));
    assertThat(heard).hasValue(1);
  }

  @Test
  @Needs({Capability.GATE, Capability.RANGES})
  void read_ungated_isServedBySealedLeader() {
    StoreCollection collection = fresh(rangeLayout());
    StoreKey key = StoreKey.of(freshMain(), hex("10"));
    long version = write(collection, key, Mutation.put(hex("01")));
    join(collection.gate().seal(toNewPrimary(collection.gate()).epoch()));
    Row row = Row.of(key, version, hex("01"), null);
    assertThat(join(collection.get(key, call().ungated()))).isEqualTo(row);
    assertThat(
            join(collection.range(
                    key.main(), Bytes.empty(), Range.all(), PageLimit.entries(5), call().ungated()))
                .rows())
        .containsExactly(row);
    Await.failure(
        StalePhase.class, () -> collection.write(key, Mutation.put(hex("02")), call().ungated()));
  }

  @Test
  @Needs({Capability.GATE, Capability.SCAN})
  void scan_ofSealedLeader_isServed() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    long version = write(collection, key, Mutation.put(hex("01")));
    join(collection.gate().seal(toNewPrimary(collection.gate()).epoch()));
    List<Row> rows = new ArrayList<>();
    for (ScanTask task : join(collection.scanTasks(1, call()))) {
      Bytes position = null;
      do {
        ScanPage page = join(collection.scan(task, position, PageLimit.entries(5), call()));
        rows.addAll(page.rows());
        position = page.next();
      } while (position != null);
    }
    assertThat(rows).containsExactly(Row.of(key, version, hex("01"), null));
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
  void seal_currentEpoch_handsOverAndRefusesEverything() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    write(collection, key, Mutation.put(hex("01")));
    long last = write(collection, key, Mutation.put(hex("02")));
    State before = toNewPrimary(collection.gate());
    State sealed = join(collection.gate().seal(before.epoch()));
    assertThat(sealed)
        .isEqualTo(
            with(State.first(), 6, Phase.NEW_ONLY, 6, 1)
                .withSealed(true)
                .withFloor(last)
                .withVersionCeiling(sealed.versionCeiling()));
    assertThat(join(collection.gate().state())).isEqualTo(sealed);
    for (long epoch : List.of(0L, 5L, 6L, 7L)) {
      Call any = call().withEpoch(epoch);
      assertStale(collection, sealed, collection.get(key, any));
      assertStale(collection, sealed, collection.write(key, Mutation.put(hex("03")), any));
    }
    assertThat(join(collection.gate().seal(before.epoch()))).isEqualTo(sealed);
    Await.failure(StalePhase.class, () -> collection.gate().reassert(key, 0));
    Await.failure(
        StalePhase.class,
        () -> collection.gate().compareAndSet(sealed, with(sealed, 7, Phase.NEW_PRIMARY, 6, 1)));
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

  @Test
  void compareAndSet_anotherCopy_beginsWithNoWatermark() {
    StoreCollection collection = fresh(pointLayout());
    long last = write(collection, freshKey(), Mutation.put(hex("01")));
    Gate gate = collection.gate();
    join(gate.applied(last));
    State now = join(gate.state());
    assertThat(join(gate.compareAndSet(now, now.withCopy(TestCopy.COPY).withRamp(5)))).isTrue();
    State next = join(gate.state());
    assertThat(next.applied()).isZero();
    assertThat(next.ramp()).isEqualTo(5);
  }

  @Test
  void compareAndSet_anotherIncarnation_beginsWithNoWatermark() {
    StoreCollection collection = fresh(pointLayout());
    Gate gate = collection.gate();
    join(gate.applied(write(collection, freshKey(), Mutation.put(hex("01")))));
    State now = join(gate.state());
    State next = with(now, now.epoch() + 1, Phase.LEGACY, 0, now.incarnation() + 1);
    assertThat(join(gate.compareAndSet(now, next))).isTrue();
    assertThat(join(gate.state()).applied()).isZero();
  }

  @Test
  void reassert_value_getsANewVersionAboveTheGiven() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    long version = write(collection, key, Mutation.put(hex("01")));
    long atLeast = Math.max(version, VersionClock.micros(serverTime())) + 200_000;
    Row row = join(collection.gate().reassert(key, atLeast));
    assertThat(row.version()).isGreaterThan(atLeast);
    assertThat(row).isEqualTo(Row.of(key, row.version(), hex("01"), null));
    assertThat(read(collection, key)).isEqualTo(row);
    assertThat(write(collection, key, Mutation.put(hex("02")))).isGreaterThan(row.version());
  }

  @Test
  void reassert_missingOrDeleted_givesATombstone() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    Row missing = join(collection.gate().reassert(key, 0));
    assertThat(missing).isEqualTo(Row.tombstone(key, missing.version()));
    write(collection, key, Mutation.put(hex("01")));
    long deleted = write(collection, key, Mutation.delete());
    Row row = join(collection.gate().reassert(key, deleted));
    assertThat(row.version()).isGreaterThan(deleted);
    assertThat(row).isEqualTo(Row.tombstone(key, row.version()));
  }

  @Test
  @Needs({Capability.GATE, Capability.EXPIRY})
  void reassert_expired_givesATombstone() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    Instant expiry = expiryIn(shortLife());
    long version = write(collection, key, expiring(expiry));
    awaitPast(expiry);
    Row row = join(collection.gate().reassert(key, version));
    assertThat(row).isEqualTo(Row.tombstone(key, row.version()));
    Row read = read(collection, key);
    assertThat(read == null || read.isTombstone()).isTrue();
  }

  @Test
  @Needs({Capability.GATE, Capability.EXPIRY, Capability.CHANGE_SOURCE})
  void reassert_expiringValue_keepsItsExpiryAndIsLogged() {
    StoreCollection collection = fresh(pointLayout());
    StoreKey key = freshKey();
    Instant expiry = expiryIn(Duration.ofHours(1));
    write(collection, key, expiring(expiry));
    Row row = join(collection.gate().reassert(key, 0));
    assertThat(row).isEqualTo(Row.of(key, row.version(), hex("01"), expiry));
    assertThat(join(collection.changes().read(1, 1_000, Duration.ZERO)))
        .isEqualTo(ChangeSource.Data.of(List.of(ChangeSource.Change.of(2, row)), 2));
  }

  @Test
  void reassert_farInTheFuture_isPermanent() {
    StoreCollection collection = fresh(pointLayout());
    long far = VersionClock.micros(serverTime().plusSeconds(10));
    assertPermanent(() -> collection.gate().reassert(freshKey(), far));
  }

  @Test
  void versionCeiling_liesNotBelowAnyVersionIssued() {
    StoreCollection collection = fresh(pointLayout());
    for (int i = 0; i < 5; i++) {
      long version = write(collection, freshKey(), Mutation.put(hex("01")));
      assertThat(join(collection.gate().state()).versionCeiling()).isGreaterThanOrEqualTo(version);
    }
  }

  private static Copy prepare(Gate gate) {
    State now = join(gate.state());
    Copy copy = Copy.draw("kit");
    assertThat(join(gate.compareAndSet(now, now.withCopy(copy)))).isTrue();
    return copy;
  }

  private static InstanceReport report(String instance, StoreCollection of, long acknowledged) {
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

  private static InstanceReport ready(String instance, StoreCollection of, Copy copy) {
    InstanceReport report = report(instance, of, 0);
    return report.withUse(
        of.name(),
        Objects.requireNonNull(report.uses().get(of.name()))
            .withCopy(copy)
            .withSkew(Duration.ofMillis(3)));
  }

  private static void assertNotReady(String words, Supplier<CompletionStage<?>> request) {
    assertThat(Await.failure(InstancesNotReady.class, request)).hasMessageContaining(words);
  }

  private static void assertStale(
      StoreCollection collection, State state, CompletionStage<?> request) {
    StalePhase error = Await.failure(StalePhase.class, () -> request);
    assertThat(error.collection()).isEqualTo(collection.name());
    assertThat(error.epoch()).isEqualTo(state.epoch());
    assertThat(error.phase()).isEqualTo(state.phase());
    assertThat(error.floor()).isEqualTo(state.floor());
    assertThat(error.copy()).isEqualTo(state.copy());
  }

  private static State to(Gate gate, Phase phase) {
    State now = join(gate.state());
    assertThat(join(gate.compareAndSet(now, step(now, phase)))).isTrue();
    return join(gate.state());
  }

  private static State toNewPrimary(Gate gate) {
    for (Phase phase : Phase.values()) {
      if (phase != Phase.LEGACY && phase != Phase.NEW_ONLY) {
        to(gate, phase);
      }
    }
    return acceptOnlyNow(gate);
  }

  private static State acceptOnlyNow(Gate gate) {
    State now = join(gate.state());
    State next = with(now, now.epoch(), now.phase(), now.epoch(), now.incarnation());
    assertThat(join(gate.compareAndSet(now, next))).isTrue();
    return join(gate.state());
  }

  private static State step(State now, Phase phase) {
    return with(now, now.epoch() + 1, phase, now.acceptMin(), now.incarnation());
  }

  private static State with(State now, long epoch, Phase phase, long acceptMin, long incarnation) {
    return now.withEpoch(epoch)
        .withPhase(phase)
        .withAcceptMin(acceptMin)
        .withIncarnation(incarnation);
  }
}
