package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.GateRecord;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.InstanceReport.Use;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.SideCounts;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The gate in a store's metadata: leases without clocks, and what it keeps. */
final class MetadataGateTest {
  private static final String ITEMS = "items";
  private static final long LEASE = Gate.LEASE.plusSeconds(1).toNanos();

  private final Store store = MemoryStoreProvider.open(UUID.randomUUID().toString());
  private final MetadataLeases leases = new MetadataLeases(store.metadata());
  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5); // it overflows
  private final MetadataGate gate = MetadataGate.of(store, ITEMS, nanos::get);

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void instances_reportUnchangedForTheLease_isGoneAndItsRecordRemoved() {
    report("one", 0);
    assertThat(names(gate)).containsExactly("one");
    nanos.addAndGet(LEASE - 1);
    assertThat(names(gate)).containsExactly("one");
    nanos.incrementAndGet();
    assertThat(names(gate)).isEmpty();
    assertThat(places()).isEmpty();
  }

  @Test
  void instances_renewedReport_holdsAnotherLease() {
    report("one", 0);
    assertThat(names(gate)).containsExactly("one");
    nanos.addAndGet(LEASE - 1);
    report("one", 0);
    assertThat(names(gate)).containsExactly("one");
    nanos.addAndGet(LEASE - 1);
    assertThat(names(gate)).containsExactly("one");
  }

  @Test
  void instances_ofAGateJustMade_listsWhoMayBeGone() {
    report("one", 0);
    names(gate);
    nanos.addAndGet(LEASE - 1);
    MetadataGate another = MetadataGate.of(store, ITEMS, nanos::get);
    assertThat(names(another)).containsExactly("one");
    nanos.addAndGet(1);
    assertThat(names(another)).containsExactly("one");
  }

  @Test
  void instances_processThatHasClosedTheCollection_isGoneAndKeepsItsRecord() {
    report("one", 0);
    names(gate);
    InstanceReport other = InstanceReport.of("one", "kit").withUse("other", Use.acknowledging(0));
    join(leases.report(() -> other));
    nanos.addAndGet(LEASE);
    assertThat(names(gate)).isEmpty();
    assertThat(names(MetadataGate.of(store, "other"))).containsExactly("one");
  }

  @Test
  void report_recordRemovedMeanwhile_registersAgain() {
    report("one", 0);
    names(gate);
    nanos.addAndGet(LEASE);
    assertThat(names(gate)).isEmpty();
    report("two", 0);
    report("one", 0);
    assertThat(names(gate)).containsExactly("one", "two");
    assertThat(places()).hasSize(2);
  }

  @Test
  void report_recordRemovedMeanwhileAndTextAsBefore_isSeen() {
    report("one", 0);
    names(gate);
    nanos.addAndGet(LEASE);
    assertThat(names(gate)).isEmpty();
    report("one", 0);
    assertThat(names(gate)).containsExactly("one");
  }

  @Test
  void report_recordRemovedByAnotherGateAndTextAsBefore_isSeen() {
    MetadataGate another = MetadataGate.of(store, ITEMS, nanos::get);
    report("one", 0);
    assertThat(names(gate)).containsExactly("one");
    assertThat(names(another)).containsExactly("one");
    nanos.addAndGet(LEASE);
    assertThat(names(another)).isEmpty();
    report("one", 0);
    assertThat(names(gate)).containsExactly("one");
  }

  @Test
  void instances_oneMoreThanCanBeKept_isNeverPassedOver() {
    for (int i = 1; i <= GateRecord.MAX_INSTANCES; i++) {
      assertThat(put(i, null, "one-" + i)).isTrue();
    }
    assertThat(names(gate)).hasSize(GateRecord.MAX_INSTANCES);
    assertThat(put(1, "one-1", "another")).isTrue(); // a coordinator has removed the first
    for (int look = 0; look < 2; look++) {
      Await.failure(KvException.Transient.class, () -> gate.instances().thenApply(List::size));
    }
    nanos.addAndGet(LEASE);
    assertThat(names(gate)).containsExactly("another");
    assertThat(places()).containsExactly("instance-0/00001");
  }

  private boolean put(int number, @Nullable String before, String after) {
    return join(
        store
            .metadata()
            .compareAndSet(
                String.format(Locale.ROOT, "instance-0/%05d", number),
                before == null ? null : beat(before),
                beat(after)));
  }

  private static Bytes beat(String instance) {
    return GateText.print(new GateText.Beat(used(instance, 0), 1));
  }

  @Test
  void report_ofAProcessThatForgotItsRecord_takesItAgain() {
    report("one", 0);
    InstanceReport report = report("one").withUse(ITEMS, Use.acknowledging(0));
    join(new MetadataLeases(store.metadata()).report(() -> report));
    report("one", 0);
    assertThat(places()).hasSize(1);
  }

  @Test
  void report_twoAtOnce_areWrittenInOrder() {
    AtomicLong asked = new AtomicLong();
    List<? extends CompletionStage<?>> both =
        List.of(
            leases.report(() -> used("one", asked.getAndIncrement())),
            leases.report(() -> used("one", asked.getAndIncrement())));
    both.forEach(Await::join);
    assertThat(join(gate.instances()))
        .singleElement()
        .satisfies(one -> assertThat(one.use().acknowledged()).isEqualTo(1));
  }

  @Test
  void report_isWrittenBeforeTheStateIsRead() {
    List<String> requests = new ArrayList<>();
    MetadataLeases recorded = new MetadataLeases(new RecordedMetadata(store.metadata(), requests));
    join(recorded.report(() -> used("one", 0)));
    join(recorded.report(() -> used("one", 0)));
    String place = places().get(0);
    assertThat(requests)
        .containsExactly(
            "list " + place.substring(0, place.indexOf('/') + 1),
            "set " + place,
            "committed get gate/items",
            "set " + place,
            "committed get gate/items");
  }

  private Store recorded(List<String> requests) {
    return new ForwardingStore(store) {
      @Override
      public Metadata metadata() {
        return new RecordedMetadata(inner.metadata(), requests);
      }
    };
  }

  @Test
  void awaitBegun_nobodyElse_beginsIt() {
    State handed = handed();
    join(MetadataGate.awaitBegun(store, ITEMS, handed));
    assertThat(join(gate.state()).epoch()).isEqualTo(handed.epoch());
  }

  @Test
  void awaitBegun_begun_isReadAsCommittedAlone() {
    State handed = handed();
    join(MetadataGate.begin(store, ITEMS, handed));
    List<String> requests = new ArrayList<>();
    join(MetadataGate.awaitBegun(recorded(requests), ITEMS, handed));
    assertThat(requests).containsExactly("committed get gate/items");
  }

  /** Returns the state in which a leader has handed a collection to the clocks. */
  private State handed() {
    join(store.open(ITEMS, Layout.point(), Claim.importing(COPY)));
    return State.first()
        .withEpoch(7)
        .withPhase(Phase.NEW_PRIMARY)
        .withFloor(5)
        .withCopy(COPY)
        .withClockOrder(true);
  }

  @Test
  void instances_areReadAsCommitted() {
    report("one", 0);
    List<String> requests = new ArrayList<>();
    Store recorded = recorded(requests);
    assertThat(names(MetadataGate.of(recorded, ITEMS))).containsExactly("one");
    assertThat(requests).allMatch(request -> request.startsWith("committed list instance-"));
  }

  @Test
  void report_ofManyProcesses_isSpreadOverGroups() {
    Random random = new Random(1);
    for (int i = 0; i < 200; i++) {
      report(new UUID(random.nextLong(), random.nextLong()).toString(), 0);
    }
    assertThat(names(gate)).hasSize(200);
    assertThat(places()).hasSize(200);
    Map<String, Long> groups =
        places().stream()
            .collect(
                Collectors.groupingBy(
                    place -> place.substring(0, place.indexOf('/')), Collectors.counting()));
    assertThat(groups.values()).allMatch(records -> records < 16);
  }

  @Test
  void report_leftTwiceByAnUnknownOutcome_isTheNewestOfBoth() {
    report("one", 0);
    String first = places().get(0);
    Bytes old = join(store.metadata().get(first));
    report("one", 1);
    Bytes fresh = join(store.metadata().get(first));
    for (List<Bytes> both : List.of(List.of(old, fresh), List.of(fresh, old))) {
      put(first, both.get(0));
      put(first.replace("00001", "00002"), both.get(1));
      assertThat(join(MetadataGate.of(store, ITEMS).instances()))
          .singleElement()
          .satisfies(one -> assertThat(one.use().acknowledged()).isEqualTo(1));
    }
  }

  private void put(String name, Bytes record) {
    Metadata metadata = store.metadata();
    assertThat(join(metadata.compareAndSet(name, join(metadata.get(name)), record))).isTrue();
  }

  /** Returns the names of all records of instances. */
  private List<String> places() {
    return List.copyOf(join(leases.all()).keySet());
  }

  @Test
  void seal_afterAllHaveEnteredNewPrimary_isForEver() {
    State now = join(gate.state());
    for (Phase next : Phase.values()) {
      if (next != Phase.LEGACY && next != Phase.NEW_ONLY) {
        State step = now.withEpoch(now.epoch() + 1).withPhase(next).withAcceptMin(now.epoch() + 1);
        assertThat(join(gate.compareAndSet(now, step))).isTrue();
        now = join(gate.state());
      }
    }
    State sealed = join(gate.seal(now.epoch()));
    assertThat(sealed.phase()).isEqualTo(Phase.NEW_ONLY);
    assertThat(sealed.floor()).isPositive();
    assertThat(join(gate.seal(now.epoch()))).isEqualTo(sealed);
    assertThat(join(MetadataGate.of(store, ITEMS).state())).isEqualTo(sealed);
  }

  @Test
  void whatALeaderAloneCan_isUnsupported() {
    unsupported(Capability.FENCING, () -> gate.fence("a", FenceOptions.lasting(Gate.LEASE)));
    unsupported(Capability.FENCING, () -> gate.lift("a"));
    unsupported(Capability.FENCING, () -> gate.move("a"));
    unsupported(
        Capability.GATE, () -> gate.reassert(StoreKey.of(Bytes.fromHex("01"), Bytes.empty()), 1));
    unsupported(Capability.GATE, () -> gate.applied(1));
  }

  @Test
  void text_ofAReport_keepsEverything() {
    InstanceReport report =
        InstanceReport.of("one", "a service\n100 %")
            .withLibrary("1.0 β")
            .withNewestPhase(Phase.NEW_ONLY)
            .withUse("plain", Use.acknowledging(3))
            .withUse(
                "locks:space",
                Use.acknowledging(4)
                    .withLayout(Layout.point())
                    .withCopy(COPY)
                    .withProblem("not reachable: x=y")
                    .withSkew(Duration.ofMillis(3))
                    .withUncertainty(Duration.ofNanos(1_500))
                    .withHeldLocks(7)
                    .withCounts(
                        SideCounts.NONE.withRequests(9, 3).withMissHits(2).withComparisons(8, 4)));
    GateText.Beat kept = new GateText.Beat(report, 12);
    assertThat(GateText.parseBeat(GateText.print(kept))).isEqualTo(kept);
  }

  @Test
  void report_problemsThatDoNotFitIntoARecord_areCut() {
    InstanceReport whole = report("one");
    for (int i = 0; i < 200; i++) {
      whole =
          whole.withUse(
              "items-" + i,
              Use.acknowledging(3).withLayout(Layout.point()).withProblem("not ready ".repeat(50)));
    }
    InstanceReport large = whole;
    join(leases.report(() -> large));
    Gate.Instance kept = join(MetadataGate.of(store, "items-199").instances()).get(0);
    assertThat(kept.use().problem()).startsWith("not ready not ready");
    assertThat(kept.report().uses()).hasSize(200);
  }

  @Test
  void text_ofAGate_keepsEverything() {
    State state =
        State.first()
            .withEpoch(7)
            .withAcceptMin(6)
            .withPhase(Phase.NEW_ONLY)
            .withFloor(5)
            .withIncarnation(2)
            .withRamp(40)
            .withSealed(true)
            .withCopy(COPY);
    GateRecord record = GateRecord.of(state, null, List.of());
    Bytes text = GateText.print(record);
    assertThat(GateText.parseGate(ITEMS, text)).isEqualTo(record);
    Await.failure(
        KvException.Permanent.class,
        () -> GateText.parseGate(ITEMS, Bytes.utf8(text.toUtf8() + " newer=1")));
  }

  private static void unsupported(Capability capability, Supplier<CompletionStage<?>> request) {
    assertThat(Await.failure(KvException.UnsupportedCapability.class, request).capability())
        .isEqualTo(capability);
  }

  private static List<String> names(Gate gate) {
    return join(gate.instances()).stream().map(Gate.Instance::name).toList();
  }

  private static InstanceReport report(String instance) {
    return InstanceReport.of(instance, "kit").withNewestPhase(Phase.NEW_ONLY);
  }

  private static InstanceReport used(String instance, long acknowledged) {
    return report(instance).withUse(ITEMS, Use.acknowledging(acknowledged));
  }

  private void report(String instance, long acknowledged) {
    join(leases.report(() -> used(instance, acknowledged)));
  }
}
