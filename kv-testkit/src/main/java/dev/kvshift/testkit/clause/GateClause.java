package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
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
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The gate of a leader, which also refuses requests: epochs, seal, reassert. */
public abstract class GateClause extends GateStepsClause {
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
  void report_futureEpoch_isPermanent() {
    StoreCollection collection = fresh(pointLayout());
    assertPermanent(() -> store().report(report("one", collection, 1)));
    assertThat(join(collection.gate().instances())).isEmpty();
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

  private static void assertStale(
      StoreCollection collection, State state, CompletionStage<?> request) {
    StalePhase error = Await.failure(StalePhase.class, () -> request);
    assertThat(error.collection()).isEqualTo(collection.name());
    assertThat(error.epoch()).isEqualTo(state.epoch());
    assertThat(error.phase()).isEqualTo(state.phase());
    assertThat(error.floor()).isEqualTo(state.floor());
    assertThat(error.copy()).isEqualTo(state.copy());
  }
}
