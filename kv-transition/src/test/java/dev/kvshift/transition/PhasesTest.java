package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver.Event;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.SideCounts;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The cells of the table of phases: protocol, 3. */
final class PhasesTest {
  private static final Bytes MAIN = Bytes.utf8("main");
  private static final Key KEY = Key.of(MAIN, Bytes.utf8("a"));
  private static final StoreKey STORE_KEY = StoreKey.of(MAIN, Bytes.utf8("a"));
  private static final Bytes ONE = Bytes.utf8("1");
  private static final Bytes TWO = Bytes.utf8("2");
  private static final WriteOptions SHORT_WRITE = WriteOptions.timeout(Duration.ofSeconds(1));
  private static final ReadOptions SHORT_READ = ReadOptions.timeout(Duration.ofSeconds(1));
  private final KvException down = new KvException.Transient("the side is down");

  private final TwoStores stores = new TwoStores();
  private final KvStore service = stores.connect("service");
  private final KvCollection items = service.collection(TwoStores.ITEMS, TwoStores.LAYOUT);

  @AfterEach
  void close() {
    service.close();
    stores.close();
  }

  @Test
  void report_manyCollections_isOneRequestToTheOldStore() {
    List<InstanceReport> reports = new CopyOnWriteArrayList<>();
    UnaryOperator<Store> recording =
        side ->
            new ForwardingStore(side) {
              @Override
              public CompletionStage<Map<String, Gate.State>> report(InstanceReport report) {
                assertThat(side.description()).endsWith("-old");
                reports.add(report);
                return super.report(report);
              }
            };
    try (KvStore many = KvStore.over(stores.open("many", recording))) {
      for (int i = 0; i < 20; i++) {
        many.collection("items-" + i, TwoStores.LAYOUT);
      }
      Await.until("a report names all", () -> reports.get(reports.size() - 1).uses().size() == 20);
      int before = reports.size();
      Await.until("three more reports", () -> reports.size() >= before + 3);
      assertThat(reports.subList(before, before + 3)).allMatch(each -> each.uses().size() == 20);
    }
  }

  @ParameterizedTest
  @EnumSource(Phase.class)
  void write_bothSidesUp_reachesTheSidesOfThePhase(Phase phase) {
    enter(phase);
    items.put(KEY, ONE);
    if (phase == Phase.SHADOW_WRITE) {
      Await.until("the shadow write has arrived", () -> row(stores.onNew) != null);
    }
    boolean onOld = phase != Phase.NEW_ONLY;
    boolean onNew = phase != Phase.LEGACY;
    assertThat(value(stores.onOld)).isEqualTo(onOld ? ONE : null);
    assertThat(value(stores.onNew)).isEqualTo(onNew ? ONE : null);
    if (onOld && onNew) {
      assertThat(row(stores.onNew)).isEqualTo(row(stores.onOld));
    }
    items.delete(KEY);
    if (phase == Phase.SHADOW_WRITE) {
      Await.until("the shadow delete has arrived", () -> value(stores.onNew) == null);
    }
    assertThat(value(stores.onOld)).isNull();
    assertThat(value(stores.onNew)).isNull();
  }

  @ParameterizedTest
  @EnumSource(Phase.class)
  void write_newSideDown_isFeltOnlyWhereItMustAcknowledge(Phase phase) {
    enter(phase);
    stores.toNew.failure = down;
    switch (phase) {
      case LEGACY, SHADOW_WRITE -> {
        items.put(KEY, ONE, SHORT_WRITE);
        assertThat(value(stores.onOld)).isEqualTo(ONE);
      }
      case DUAL_WRITE, SHADOW_READ, NEW_READ, NEW_PRIMARY -> {
        assertThatThrownBy(() -> items.put(KEY, ONE, SHORT_WRITE))
            .isInstanceOf(KvException.UnknownOutcome.class);
        assertThat(value(stores.onOld)).isEqualTo(ONE);
      }
      case NEW_ONLY ->
          assertThatThrownBy(() -> items.put(KEY, ONE, SHORT_WRITE))
              .isInstanceOf(KvException.Transient.class);
    }
    assertThat(value(stores.onNew)).isNull();
  }

  @ParameterizedTest
  @EnumSource(value = Phase.class, names = "NEW_ONLY", mode = EnumSource.Mode.EXCLUDE)
  void write_oldSideDown_failsAndIsSentNowhere(Phase phase) {
    enter(phase);
    stores.toOld.failure = down;
    stores.toNew.forget();
    assertThatThrownBy(() -> items.put(KEY, ONE, SHORT_WRITE)).isSameAs(down);
    assertThat(stores.toNew.writes).hasValue(0);
  }

  @ParameterizedTest
  @EnumSource(Phase.class)
  void write_newSideCanNeverHoldIt_isRefusedUnsentFromDualWrite(Phase phase) {
    enter(phase);
    stores.toNew.refusesWrites = true;
    if (phase.compareTo(Phase.DUAL_WRITE) < 0) {
      items.put(KEY, ONE);
      assertThat(value(stores.onOld)).isEqualTo(ONE);
    } else if (phase != Phase.NEW_ONLY) {
      assertThatThrownBy(() -> items.put(KEY, ONE)).isInstanceOf(KvException.InvalidArgument.class);
      assertThat(row(stores.onOld)).isNull();
    }
    assertThat(value(stores.onNew)).isNull();
  }

  @ParameterizedTest
  @EnumSource(Phase.class)
  void write_clockASecondAhead_isNeverSentToTheNewSide(Phase phase) {
    enter(phase);
    stores.clock = new VersionClock(Clock.offset(Clock.systemUTC(), Duration.ofSeconds(1)));
    try (KvStore ahead = stores.connect("ahead")) {
      KvCollection own = ahead.collection(TwoStores.ITEMS, TwoStores.LAYOUT);
      switch (phase) {
        case LEGACY -> own.put(KEY, ONE);
        case SHADOW_WRITE ->
            Await.until(
                "a shadow write is no longer dropped, as the new side is open",
                () -> {
                  own.put(KEY, ONE);
                  return shadowWrites().stream().anyMatch(each -> !each.equals(Events.DROPPED));
                });
        case DUAL_WRITE, SHADOW_READ, NEW_READ, NEW_PRIMARY, NEW_ONLY ->
            assertThatThrownBy(() -> own.put(KEY, ONE))
                .isExactlyInstanceOf(KvException.Transient.class)
                .hasMessageContaining("synchronize the clocks");
      }
    }
    assertThat(shadowWrites()).doesNotContain(Events.DONE);
    assertThat(value(stores.onOld)).isEqualTo(phase.compareTo(Phase.DUAL_WRITE) < 0 ? ONE : null);
    assertThat(stores.toNew.writes).hasValue(0);
  }

  private List<String> shadowWrites() {
    return stores.events(Event.Kind.SHADOW_WRITE).stream().map(Event::detail).toList();
  }

  @Test
  void write_newSideAcknowledgesLate_waitsForIt() {
    enter(Phase.DUAL_WRITE);
    CompletableFuture<Void> held = new CompletableFuture<>();
    stores.toNew.writesHeld = held;
    CompletableFuture<?> write = items.async().put(KEY, ONE).toCompletableFuture();
    Await.until("the old side has it", () -> value(stores.onOld) != null);
    assertThat(write).isNotDone();
    held.complete(null);
    join(write);
    assertThat(value(stores.onNew)).isEqualTo(ONE);
  }

  @Test
  void shadowWrites_newSideHangs_areDroppedAndCounted() {
    enter(Phase.SHADOW_WRITE);
    stores.toNew.writesHeld = new CompletableFuture<>();
    int writes = ShadowWrites.MAX_IN_FLIGHT + 10;
    for (int i = 0; i < writes; i++) {
      items.put(KEY, ONE);
    }
    assertThat(stores.toNew.writes.get()).isEqualTo(ShadowWrites.MAX_IN_FLIGHT);
    assertThat(stores.events(Event.Kind.SHADOW_WRITE))
        .filteredOn(event -> event.detail().equals("dropped"))
        .hasSize(10);
  }

  @Test
  void shadowWrites_rampOfNone_areNotSent() {
    enter(Phase.SHADOW_WRITE);
    ramp(0);
    stores.toNew.forget();
    items.put(KEY, ONE);
    assertThat(stores.toNew.writes).hasValue(0);
    ramp(100);
    items.put(KEY, ONE);
    Await.until("the shadow write has arrived", () -> value(stores.onNew) != null);
  }

  @ParameterizedTest
  @EnumSource(Phase.class)
  void read_bothSidesUp_asksTheSideOfThePhase(Phase phase) {
    enter(phase);
    items.put(KEY, ONE);
    if (phase != Phase.NEW_ONLY) {
      publish();
    }
    forget();
    assertThat(items.get(KEY)).contains(ONE);
    assertThat(items.getRange(MAIN, Range.all(), PageLimit.entries(10)).entries())
        .extracting(Entry::value)
        .containsExactly(ONE);
    boolean asksNew = phase.compareTo(Phase.NEW_READ) >= 0;
    assertThat(stores.toOld.reads).hasValue(asksNew ? 0 : 2);
    assertThat(stores.toNew.reads.get()).isBetween(asksNew ? 2 : 0, asksNew ? 2 : 1);
  }

  @ParameterizedTest
  @EnumSource(Phase.class)
  void read_newSideDown_failsOnlyWhereItAnswersAlone(Phase phase) {
    enter(phase);
    items.put(KEY, ONE);
    if (phase != Phase.NEW_ONLY) {
      publish();
    }
    stores.toNew.failure = down;
    if (phase.compareTo(Phase.NEW_PRIMARY) < 0) {
      assertThat(items.get(KEY, SHORT_READ)).contains(ONE);
    } else {
      assertThatThrownBy(() -> items.get(KEY, SHORT_READ))
          .isInstanceOf(KvException.Transient.class);
    }
  }

  @ParameterizedTest
  @EnumSource(Phase.class)
  void read_oldSideDown_failsOnlyWhereItAnswers(Phase phase) {
    enter(phase);
    items.put(KEY, ONE);
    stores.toOld.failure = down;
    if (phase.compareTo(Phase.NEW_READ) < 0) {
      assertThatThrownBy(() -> items.get(KEY, SHORT_READ)).isSameAs(down);
    } else {
      assertThat(items.get(KEY, SHORT_READ)).contains(ONE);
    }
  }

  @ParameterizedTest
  @EnumSource(value = Phase.class, names = "NEW_ONLY", mode = EnumSource.Mode.EXCLUDE)
  void read_aboveTheWatermark_isOnTheNewSideBeforeItIsReturned(Phase phase) {
    enter(phase);
    Row written = writeOnOldAlone(ONE);
    boolean helps = phase == Phase.SHADOW_READ || phase == Phase.NEW_READ;
    boolean asksOld = phase != Phase.NEW_PRIMARY;
    assertThat(items.get(KEY).isPresent()).isEqualTo(asksOld);
    assertThat(row(stores.onNew)).isEqualTo(helps ? written : null);
  }

  @Test
  void read_deletedAboveTheWatermark_isDeletedOnTheNewSideToo() {
    enter(Phase.SHADOW_READ);
    items.put(KEY, ONE);
    Row deleted = writeOnOldAlone(null);
    assertThat(items.get(KEY)).isEmpty();
    assertThat(row(stores.onNew)).isEqualTo(deleted);
  }

  @Test
  void range_aboveTheWatermark_isOnTheNewSideBeforeItIsReturned() {
    enter(Phase.SHADOW_READ);
    Row written = writeOnOldAlone(ONE);
    assertThat(items.getRange(MAIN, Range.all(), PageLimit.entries(10)).entries()).hasSize(1);
    assertThat(row(stores.onNew)).isEqualTo(written);
  }

  @Test
  void read_newSideDoesNotTakeTheHelp_isNotReturned() {
    enter(Phase.SHADOW_READ);
    writeOnOldAlone(ONE);
    stores.toNew.failure = down;
    assertThatThrownBy(() -> items.get(KEY, SHORT_READ)).isInstanceOf(KvException.Transient.class);
    stores.toNew.failure = null;
    assertThat(items.get(KEY)).contains(ONE);
  }

  @Test
  void read_newSideCanNeverHoldTheRow_isReturned() {
    enter(Phase.SHADOW_READ);
    writeOnOldAlone(ONE);
    stores.toNew.refusesWrites = true;
    assertThat(items.get(KEY)).contains(ONE);
  }

  @Test
  void read_belowTheWatermark_needsNoHelp() {
    enter(Phase.SHADOW_READ);
    writeOnOldAlone(ONE);
    publish();
    forget();
    assertThat(items.get(KEY)).contains(ONE);
    assertThat(stores.toNew.writes).hasValue(0);
  }

  @Test
  void newRead_newSideMissesAnEntry_isFoundCountedAndCopied() {
    enter(Phase.NEW_READ);
    Row written = writeOnOldAlone(ONE);
    publish();
    assertThat(items.get(KEY)).contains(ONE);
    assertThat(stores.events(Event.Kind.MISS_HIT)).hasSize(1);
    assertThat(row(stores.onNew)).isEqualTo(written);
    assertThat(items.get(KEY)).contains(ONE);
    assertThat(stores.events(Event.Kind.MISS_HIT)).hasSize(1);
    Await.until("the leader is told", () -> counts().missHits() == 1);
    assertThat(counts().requests()).isEqualTo(3);
    assertThat(counts().failures()).isZero();
  }

  @Test
  void newRead_rampOfNone_readsFromTheOldSide() {
    enter(Phase.NEW_READ);
    items.put(KEY, ONE);
    publish();
    ramp(0);
    forget();
    assertThat(items.get(KEY)).contains(ONE);
    assertThat(stores.toOld.reads).hasValue(1);
    assertThat(stores.toNew.reads).hasValue(0);
  }

  @Test
  void newRead_mainKeyOfTheCohort_isReadFromTheNewSideBeforeTheRamp() {
    enter(Phase.NEW_READ);
    items.put(KEY, ONE);
    publish();
    ramp(0);
    stores.cohort = (collection, main) -> collection.equals(TwoStores.ITEMS) && main.equals(MAIN);
    forget();
    assertThat(items.get(KEY)).contains(ONE);
    assertThat(items.get(Key.of(Bytes.utf8("other"), Bytes.utf8("a")))).isEmpty();
    assertThat(stores.toNew.reads).hasValue(1);
    assertThat(stores.toOld.reads).hasValue(1);
  }

  @Test
  void newRead_cohortFails_isReadFromTheOldSide() {
    enter(Phase.NEW_READ);
    items.put(KEY, ONE);
    publish();
    ramp(0);
    stores.cohort =
        (collection, main) -> {
          throw new IllegalStateException("no flags");
        };
    forget();
    assertThat(items.get(KEY)).contains(ONE);
    assertThat(stores.toNew.reads).hasValue(0);
  }

  @Test
  void newRead_newSideGoesOnFailing_isNotAskedEachTime() {
    enter(Phase.NEW_READ);
    items.put(KEY, ONE);
    publish();
    stores.toNew.failure = down;
    Await.until(
        "reads have changed to the old side",
        () -> {
          assertThat(items.get(KEY)).contains(ONE);
          return !stores.events(Event.Kind.FAIL_OVER).isEmpty();
        });
    stores.toNew.failure = null;
    Await.until(
        "reads have changed back",
        () -> {
          assertThat(items.get(KEY)).contains(ONE);
          return stores.events(Event.Kind.FAIL_OVER).size() == 2;
        });
    assertThat(stores.events(Event.Kind.FAIL_OVER))
        .extracting(Event::detail)
        .containsExactly("old", "new");
  }

  @Test
  void comparison_sidesDiffer_isReported() {
    enter(Phase.SHADOW_READ);
    items.put(KEY, ONE);
    publish();
    Await.until(
        "a comparison found them equal",
        () -> {
          items.get(KEY);
          return compared("equal");
        });
    writeOnOldAlone(TWO);
    publish();
    Await.until(
        "a comparison found them different",
        () -> {
          items.get(KEY);
          return compared("different");
        });
  }

  @Test
  void comparison_newSideBehindTheWatermark_isNone() {
    enter(Phase.SHADOW_READ);
    for (int i = 0; i < 100; i++) {
      writeOnOldAlone(ONE);
      assertThat(items.get(KEY)).contains(ONE);
    }
    assertThat(compared("different")).isFalse();
  }

  /** The answer of a process that was paused for longer than its lease, while others went on. */
  @ParameterizedTest
  @EnumSource(
      value = Phase.class,
      names = {"NEW_READ", "NEW_PRIMARY"})
  void read_leaseOverWhenTheAnswerComes_isReadAgainInThePhaseOfTheDay(Phase phase) {
    enter(phase);
    items.put(KEY, ONE);
    CompletableFuture<Void> held = new CompletableFuture<>();
    CompletableFuture<Void> silent = new CompletableFuture<>();
    stores.toOld.reportsHeld = silent;
    stores.toNew.answersHeld = held;
    CompletableFuture<?> read =
        items.async().get(KEY, ReadOptions.timeout(Duration.ofSeconds(60))).toCompletableFuture();
    Await.until("the new side was asked", () -> stores.toNew.reads.get() > 0);
    Coordinator.of(TwoStores.ITEMS, stores.onOld.gate())
        .moveTo(Phase.DUAL_WRITE, TwoStores.PATIENCE);
    join(stores.onOld.write(STORE_KEY, Mutation.put(TWO), atEpoch()));
    held.complete(null);
    Await.until("the answer was discarded", () -> !stores.events(Event.Kind.LEASE_LOST).isEmpty());
    assertThat(read).isNotDone();
    silent.complete(null);
    assertThat(join(read).toString()).contains(TWO.toHex());
  }

  /** The request of a process that was paused before it was sent, and has reported since. */
  @ParameterizedTest
  @EnumSource(
      value = Phase.class,
      names = {"NEW_READ", "NEW_PRIMARY"})
  void read_leaseOverAndRenewedWhenTheAnswerComes_isReadAgain(Phase phase) {
    enter(phase);
    items.put(KEY, ONE);
    CompletableFuture<Void> held = new CompletableFuture<>();
    CompletableFuture<Void> silent = new CompletableFuture<>();
    stores.toOld.reportsHeld = silent;
    stores.toNew.readsHeld = held;
    CompletableFuture<?> read =
        items.async().get(KEY, ReadOptions.timeout(Duration.ofSeconds(60))).toCompletableFuture();
    Await.until("the new side is asked", () -> stores.toNew.reads.get() > 0);
    Coordinator.of(TwoStores.ITEMS, stores.onOld.gate()).moveTo(Phase.LEGACY, TwoStores.PATIENCE);
    join(stores.onOld.write(STORE_KEY, Mutation.put(TWO), atEpoch()));
    stores.toOld.reportsHeld = CompletableFuture.completedFuture(null);
    silent.complete(null);
    awaitPhase(Phase.LEGACY);
    awaitNextReports();
    held.complete(null);
    assertThat(join(read).toString()).contains(TWO.toHex());
  }

  @Test
  void steps_forwardAndBack_loseNothing() {
    List<Phase> way = new ArrayList<>();
    for (Phase phase : Phase.values()) {
      if (phase != Phase.LEGACY && phase != Phase.NEW_ONLY) {
        way.add(phase);
        way.add(Phase.LEGACY);
        way.add(phase);
      }
    }
    int i = 0;
    for (Phase phase : way) {
      stores.stream();
      stores.moveTo(phase);
      Bytes value = Bytes.utf8("value " + i++);
      items.put(KEY, value);
      assertThat(items.get(KEY)).contains(value);
    }
    stores.moveTo(Phase.NEW_ONLY);
    assertThat(items.get(KEY)).contains(Bytes.utf8("value " + (i - 1)));
    assertThat(stores.events(Event.Kind.LEASE_LOST)).isEmpty();
  }

  @Test
  void copy_another_beginsWithNoWatermark() {
    items.put(KEY, ONE);
    publish();
    Gate.State now = join(stores.onOld.gate().state());
    assertThat(now.applied()).isPositive();
    assertThat(join(stores.onOld.gate().compareAndSet(now, now.withCopy(Copy.draw("another")))))
        .isTrue();
    assertThat(join(stores.onOld.gate().state()).applied()).isZero();
  }

  @Test
  void reports_ofTwentyCollections_areOneEachAndCostTheNewSideNothing() {
    for (int i = 1; i < 20; i++) {
      join(stores.oldStore.open("more-" + i, TwoStores.LAYOUT, Claim.ACTIVE));
      service.collection("more-" + i, TwoStores.LAYOUT);
    }
    awaitNextReports();
    forget();
    int before = stores.toOld.reports.get();
    Instant leased = lease();
    Await.until("its lease was renewed twice", () -> lease().isAfter(leased.plusSeconds(1)));
    assertThat(stores.toOld.reports.get() - before).isBetween(1, 4);
    assertThat(join(stores.onOld.gate().instances()).get(0).report().uses()).hasSize(20);
    assertThat(stores.toNew.reads).hasValue(0);
    assertThat(stores.toNew.writes).hasValue(0);
  }

  private Instant lease() {
    return join(stores.onOld.gate().instances()).get(0).leaseEnds();
  }

  private boolean compared(String how) {
    return stores.events(Event.Kind.COMPARISON).stream()
        .anyMatch(event -> event.detail().equals(how));
  }

  private void enter(Phase phase) {
    stores.moveTo(phase);
    awaitPhase(phase);
    forget();
  }

  private void awaitPhase(Phase phase) {
    Await.until(
        "the service knows the phase",
        () ->
            stores.events(Event.Kind.PHASE).stream()
                    .reduce((first, last) -> last)
                    .filter(last -> isOf(last, phase))
                    .isPresent()
                || (phase == Phase.NEW_ONLY && items.get(KEY).isEmpty()));
  }

  private static boolean isOf(Event event, Phase phase) {
    return event.detail().equals(phase.word());
  }

  /** Returns what the service has counted, as far as the leader knows. */
  private SideCounts counts() {
    return join(stores.onOld.gate().instances()).get(0).use().counts();
  }

  private void forget() {
    stores.toOld.forget();
    stores.toNew.forget();
  }

  private void ramp(int percent) {
    Coordinator.of(TwoStores.ITEMS, stores.onOld.gate()).ramp(percent);
    awaitNextReports();
  }

  /** Publishes everything as applied, and waits until the service has heard of it. */
  private void publish() {
    stores.publish(row(stores.onOld).version());
    awaitNextReports();
  }

  /** Waits until the service has reported twice: the second report began after the call. */
  private void awaitNextReports() {
    int before = stores.toOld.reports.get();
    Await.until("the service has reported", () -> stores.toOld.reports.get() > before + 1);
  }

  /** A write of another service that has died between the two sides. */
  private Row writeOnOldAlone(@Nullable Bytes value) {
    join(stores.onOld.write(STORE_KEY, Mutation.of(value), atEpoch()));
    return row(stores.onOld);
  }

  private Call atEpoch() {
    return TwoStores.call().withEpoch(join(stores.onOld.gate().state()).epoch());
  }

  private static @Nullable Bytes value(StoreCollection collection) {
    Row row = row(collection);
    return row == null ? null : row.value();
  }

  private static @Nullable Row row(StoreCollection collection) {
    return Await.<@Nullable Row>join(collection.get(STORE_KEY, TwoStores.call().ungated()));
  }
}
