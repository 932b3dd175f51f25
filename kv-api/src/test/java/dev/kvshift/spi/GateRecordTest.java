package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.Gate.State;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The decisions of the gate, exact at their bounds. */
final class GateRecordTest {
  private static final String NAME = "files";
  private static final Fence FENCE = Fence.of("a", 700, 9, Instant.ofEpochSecond(60));
  private static final FenceOptions LASTING = FenceOptions.lasting(Duration.ofSeconds(30));

  private final InstanceRegistry nobody =
      new InstanceRegistry(NAME, Clock.systemUTC(), System::nanoTime);

  private final GateRecord legacy = GateRecord.first();
  private final GateRecord dual = at(5, Phase.DUAL_WRITE, 4);
  private final GateRecord fenced = legacy.fenced(FENCE);
  private final GateRecord moved = fenced.moved(NAME, "a", nobody, Set.of());
  private final GateRecord primary = at(5, Phase.NEW_PRIMARY, 5);
  private final GateRecord sealed = primary.sealed(NAME, 5, 900, nobody);

  private static GateRecord at(long epoch, Phase phase, long acceptMin) {
    return GateRecord.of(
        State.first().withEpoch(epoch).withPhase(phase).withAcceptMin(acceptMin), null, List.of());
  }

  @ParameterizedTest
  @CsvSource({
    "6, SHADOW_READ, 4, 1, true",
    "6, SHADOW_READ, 6, 1, true",
    "6, SHADOW_WRITE, 4, 1, true",
    "5, DUAL_WRITE, 5, 1, true",
    "5, DUAL_WRITE, 4, 2, true",
    "5, SHADOW_READ, 4, 1, false",
    "4, DUAL_WRITE, 4, 1, false",
    "6, NEW_READ, 4, 1, false",
    "6, LEGACY, 4, 1, false",
    "6, SHADOW_READ, 3, 1, false",
    "6, SHADOW_READ, 7, 1, false",
    "6, SHADOW_READ, 4, 0, false",
  })
  void stepped_fromDualWriteAtEpoch5_isAStepOrRefused(
      long epoch, Phase phase, long acceptMin, long incarnation, boolean isStep) {
    State next =
        State.first()
            .withEpoch(epoch)
            .withPhase(phase)
            .withAcceptMin(acceptMin)
            .withIncarnation(incarnation);
    if (isStep) {
      GateRecord stepped = dual.stepped(NAME, dual.state(), next, nobody);
      assertThat(stepped).isEqualTo(GateRecord.of(next, null, List.of()));
    } else {
      refused(KvException.Permanent.class, () -> dual.stepped(NAME, dual.state(), next, nobody));
    }
  }

  @Test
  void stepped_notAsExpected_isNull() {
    State next = dual.state().withEpoch(6);
    assertThat(dual.stepped(NAME, dual.state().withEpoch(4), next, nobody)).isNull();
    assertThat(dual.stepped(NAME, dual.state().withAcceptMin(5), next, nobody)).isNull();
  }

  @Test
  void stepped_ofTheLeadersOwnMembers_takesNone() {
    State next =
        dual.state()
            .withEpoch(6)
            .withFloor(1)
            .withSealed(true)
            .withFence(FENCE)
            .withVersionCeiling(2);
    assertThat(dual.stepped(NAME, dual.state(), next, nobody))
        .isEqualTo(at(6, Phase.DUAL_WRITE, 4));
  }

  @Test
  void stepped_intoNewOnlyByHand_isPermanent() {
    GateRecord primary = at(7, Phase.NEW_PRIMARY, 7);
    State next = primary.state().withEpoch(8).withPhase(Phase.NEW_ONLY);
    refused(
        KvException.Permanent.class, () -> primary.stepped(NAME, primary.state(), next, nobody));
  }

  @Test
  void stepped_whileFenced_isTransient() {
    State next = fenced.state().withEpoch(1);
    refused(KvException.Transient.class, () -> fenced.stepped(NAME, fenced.state(), next, nobody));
  }

  @Test
  void fenceFor_sameAttempt_isTheOneThatStands() {
    assertThat(legacy.fenceFor(NAME, "a", LASTING, nobody)).isNull();
    assertThat(fenced.fenceFor(NAME, "a", LASTING, nobody)).isSameAs(FENCE);
    refused(KvException.Transient.class, () -> fenced.fenceFor(NAME, "b", LASTING, nobody));
    GateRecord lifted = fenced.lifted(NAME, "a");
    refused(KvException.Permanent.class, () -> lifted.fenceFor(NAME, "a", LASTING, nobody));
    assertThat(lifted.fenceFor(NAME, "b", LASTING, nobody)).isNull();
  }

  @ParameterizedTest
  @CsvSource({"999, false", "1000, true", "60000, true", "60001, false"})
  void fenceFor_lifetime_hasBounds(long millis, boolean allowed) {
    ThrowingCallable ask =
        () -> legacy.fenceFor(NAME, "a", FenceOptions.lasting(Duration.ofMillis(millis)), nobody);
    if (allowed) {
      assertThat(
              legacy.fenceFor(NAME, "a", FenceOptions.lasting(Duration.ofMillis(millis)), nobody))
          .isNull();
    } else {
      refused(KvException.Permanent.class, ask);
    }
  }

  @ParameterizedTest
  @CsvSource({"0, false", "1, true", "256, true", "257, false"})
  void fenceFor_name_hasBounds(int chars, boolean allowed) {
    String name = "x".repeat(chars);
    if (allowed) {
      assertThat(legacy.fenceFor(NAME, name, LASTING, nobody)).isNull();
    } else {
      refused(KvException.Permanent.class, () -> legacy.fenceFor(NAME, name, LASTING, nobody));
    }
  }

  @Test
  void lifted_otherAttempt_leavesTheFenceAndEndsTheOther() {
    GateRecord other = fenced.lifted(NAME, "b");
    assertThat(other.state().fence()).isEqualTo(FENCE);
    assertThat(other.ended()).containsExactly("b");
    assertThat(other.lifted(NAME, "b")).isSameAs(other);
    GateRecord own = fenced.lifted(NAME, "a");
    assertThat(own.state().fence()).isNull();
    assertThat(own.ended()).containsExactly("a");
  }

  @Test
  void lifted_manyAttempts_remembersTheLast() {
    GateRecord record = legacy;
    for (int i = 0; i <= GateRecord.MAX_ENDED_ATTEMPTS; i++) {
      record = record.lifted(NAME, "attempt-" + i);
    }
    assertThat(record.ended())
        .hasSize(GateRecord.MAX_ENDED_ATTEMPTS)
        .startsWith("attempt-1")
        .endsWith("attempt-" + GateRecord.MAX_ENDED_ATTEMPTS);
  }

  @Test
  void moved_withItsFence_handsOverForEver() {
    assertThat(moved.state())
        .isEqualTo(
            State.first()
                .withEpoch(1)
                .withAcceptMin(1)
                .withPhase(Phase.NEW_ONLY)
                .withFloor(FENCE.version()));
    assertThat(moved.movedBy()).isEqualTo("a");
    assertThat(moved.moved(NAME, "a", nobody, Set.of())).isSameAs(moved);
    refused(StalePhase.class, () -> moved.moved(NAME, "b", nobody, Set.of()));
    refused(StalePhase.class, () -> moved.lifted(NAME, "a"));
    refused(StalePhase.class, () -> moved.fenceFor(NAME, "b", LASTING, nobody));
    refused(StalePhase.class, () -> moved.sealed(NAME, 1, 800, nobody));
    refused(StalePhase.class, () -> moved.stepped(NAME, moved.state(), moved.state(), nobody));
  }

  @Test
  void moved_withoutItsFence_isPermanent() {
    refused(KvException.Permanent.class, () -> legacy.moved(NAME, "a", nobody, Set.of()));
    refused(KvException.Permanent.class, () -> fenced.moved(NAME, "b", nobody, Set.of()));
    refused(
        KvException.Permanent.class,
        () -> fenced.lifted(NAME, "a").moved(NAME, "a", nobody, Set.of()));
  }

  @Test
  void sealed_currentEpoch_handsOverAtTheLastVersion() {
    assertThat(sealed.state())
        .isEqualTo(
            primary
                .state()
                .withEpoch(6)
                .withAcceptMin(6)
                .withPhase(Phase.NEW_ONLY)
                .withSealed(true)
                .withFloor(900));
    assertThat(sealed.sealed(NAME, 5, 901, nobody)).isSameAs(sealed);
    refused(StalePhase.class, () -> sealed.sealed(NAME, 6, 901, nobody));
    refused(KvException.Permanent.class, () -> primary.sealed(NAME, 4, 900, nobody));
    refused(KvException.Permanent.class, () -> primary.sealed(NAME, 6, 900, nobody));
    refused(KvException.Transient.class, () -> fenced.sealed(NAME, 0, 900, nobody));
  }

  @Test
  void sealed_beforeNewPrimaryIsEnteredCompletely_isPermanent() {
    GateRecord newRead = at(5, Phase.NEW_READ, 5);
    GateRecord entering = at(5, Phase.NEW_PRIMARY, 4);
    refused(KvException.Permanent.class, () -> newRead.sealed(NAME, 5, 900, nobody));
    refused(KvException.Permanent.class, () -> entering.sealed(NAME, 5, 900, nobody));
    assertThatThrownBy(() -> newRead.sealed(NAME, 5, 900, nobody))
        .hasMessage(
            "collection files is in phase NEW_READ and was not sealed: complete the step into"
                + " new-primary first");
    assertThatThrownBy(() -> entering.sealed(NAME, 5, 900, nobody))
        .hasMessageStartingWith(
            "collection files is in phase NEW_PRIMARY, whose step is not complete, and was not");
  }

  @Test
  void stepped_toAnotherCopyOrIncarnation_beginsWithNoWatermark() {
    GateRecord applied =
        GateRecord.of(State.first().withCopy(Copy.draw("log")).withApplied(700), null, List.of());
    State known = applied.state();
    for (State next : List.of(known.withCopy(Copy.draw("log")), known.withIncarnation(2))) {
      GateRecord stepped = applied.stepped(NAME, known, next, nobody);
      assertThat(stepped).isNotNull();
      assertThat(stepped.state().applied()).isZero();
    }
    GateRecord ramped = applied.stepped(NAME, known, known.withRamp(5), nobody);
    assertThat(ramped).isEqualTo(GateRecord.of(known.withRamp(5), null, List.of()));
  }

  @Test
  void admit_byEpoch_isExactAtItsBound() {
    refused(StalePhase.class, () -> dual.admitRead(NAME, 3));
    refused(StalePhase.class, () -> dual.admitWrite(NAME, 3));
    dual.admitRead(NAME, 4);
    dual.admitWrite(NAME, 4);
    refused(StalePhase.class, () -> moved.admitRead(NAME, 0));
    moved.admitRead(NAME, 1);
    refused(StalePhase.class, () -> moved.admitWrite(NAME, 1));
    refused(StalePhase.class, () -> sealed.admitRead(NAME, Long.MAX_VALUE - 1));
    refused(StalePhase.class, () -> sealed.admitWrite(NAME, Long.MAX_VALUE));
  }

  @Test
  void moved_wayBackKept_isLedByNobodyUntilItGoesBack() {
    GateRecord kept = GateRecord.of(State.first().withWayBack(true), null, List.of());
    GateRecord handed = kept.fenced(FENCE).moved(NAME, FENCE.attempt(), nobody, Set.of());
    assertThat(handed.isLed()).isFalse();
    assertThat(handed.isHandedOver()).isFalse();
    assertThat(handed.state())
        .isEqualTo(
            State.first()
                .withEpoch(1)
                .withAcceptMin(1)
                .withPhase(Phase.NEW_PRIMARY)
                .withFloor(FENCE.version())
                .withWayBack(true)
                .withClockOrder(true));
    assertThat(handed.moved(NAME, FENCE.attempt(), nobody, Set.of())).isSameAs(handed);
    handed.admitWrite(NAME, 1, true);
    refused(StalePhase.class, () -> handed.admitWrite(NAME, 1, false));
    refused(StalePhase.class, () -> handed.admitWrite(NAME, 0, true));
    assertThat(handed.stale(NAME).isClockOrdered()).isTrue();
    assertThat(kept.stale(NAME).isClockOrdered()).isFalse();

    State next = State.first().withEpoch(3).withAcceptMin(3).withIncarnation(2);
    GateRecord led = handed.stepped(NAME, handed.state(), next.withFloor(9).withApplied(9), nobody);
    assertThat(led).isEqualTo(GateRecord.of(next, null, List.of(FENCE.attempt())));
    assertThat(led.isLed()).isTrue();
    led.admitWrite(NAME, 3, false);
    refused(StalePhase.class, () -> led.admitWrite(NAME, 2, true));
  }

  @Test
  void sealed_wayBackKept_isFinishedByItsOwnEpoch() {
    GateRecord last =
        GateRecord.of(
            State.first().withPhase(Phase.NEW_PRIMARY).withWayBack(true), null, List.of());
    GateRecord handed = last.sealed(NAME, 0, 900, nobody);
    assertThat(handed.state().isClockOrdered()).isTrue();
    assertThat(handed.state().floor()).isEqualTo(900);
    assertThat(handed.sealed(NAME, 0, 950, nobody)).isSameAs(handed);
    GateRecord finished = handed.sealed(NAME, 1, 950, nobody);
    assertThat(finished.isHandedOver()).isTrue();
    assertThat(finished.state().floor()).isEqualTo(900);
    assertThat(finished.state().isClockOrdered()).isFalse();
    assertThat(finished.sealed(NAME, 1, 999, nobody)).isSameAs(finished);
  }

  @Test
  void handOver_instanceWithoutClockOrder_isRefusedIfAWayBackIsKept() {
    Copy copy = Copy.draw("log");
    InstanceReport.Use use =
        InstanceReport.Use.acknowledging(0).withCopy(copy).withSkew(Duration.ZERO);
    InstanceReport report =
        InstanceReport.of("one", "orders").withNewestPhase(Phase.NEW_ONLY).withUse(NAME, use);
    InstanceRegistry blind = new InstanceRegistry(NAME, Clock.systemUTC(), System::nanoTime);
    blind.report(report, 0);
    State prepared = State.first().withCopy(copy);
    GateRecord kept = GateRecord.of(prepared.withWayBack(true), null, List.of());
    refused(InstancesNotReady.class, () -> kept.fenceFor(NAME, "a", LASTING, blind));
    refused(InstancesNotReady.class, () -> kept.fenced(FENCE).moved(NAME, "a", blind, Set.of()));
    assertThat(kept.fenceFor(NAME, "a", LASTING.givingUp(Set.of("orders")), blind)).isNull();
    assertThat(GateRecord.of(prepared, null, List.of()).fenceFor(NAME, "a", LASTING, blind))
        .isNull();
    blind.report(report.withUse(NAME, use.withClockOrder(true)), 0);
    assertThat(kept.fenceFor(NAME, "a", LASTING, blind)).isNull();
  }

  @Test
  void admitRead_ungated_isServedWhateverTheGateSays() {
    for (GateRecord record : List.of(dual, moved, sealed)) {
      record.admitRead(NAME, Call.within(Duration.ofSeconds(1)).ungated().epoch());
    }
  }

  @Test
  void applied_watermark_risesUpToTheLastVersion() {
    GateRecord applied = dual.applied(NAME, 700, 900);
    assertThat(applied.state()).isEqualTo(dual.state().withApplied(700));
    assertThat(applied.applied(NAME, 700, 900)).isSameAs(applied);
    assertThat(applied.applied(NAME, 699, 900)).isSameAs(applied);
    assertThat(applied.applied(NAME, 900, 900).state().applied()).isEqualTo(900);
    refused(KvException.Permanent.class, () -> applied.applied(NAME, 901, 900));
  }

  @Test
  void handOver_instanceThatCannotFollow_isRefusedWithItsName() {
    Copy copy = Copy.draw("log");
    InstanceRegistry late = new InstanceRegistry(NAME, Clock.systemUTC(), System::nanoTime);
    late.report(
        InstanceReport.of("one", "orders")
            .withNewestPhase(Phase.NEW_ONLY)
            .withUse(NAME, InstanceReport.Use.acknowledging(0)),
        0);
    GateRecord prepared = GateRecord.of(State.first().withCopy(copy), null, List.of());
    State up = prepared.state().withEpoch(1).withPhase(Phase.SHADOW_WRITE);

    refused(InstancesNotReady.class, () -> prepared.stepped(NAME, prepared.state(), up, late));
    refused(InstancesNotReady.class, () -> prepared.fenceFor(NAME, "a", LASTING, late));
    refused(
        InstancesNotReady.class,
        () -> prepared.fenced(FENCE).moved(NAME, "a", late, Set.of("others")));
    GateRecord last =
        GateRecord.of(State.first().withCopy(copy).withPhase(Phase.NEW_PRIMARY), null, List.of());
    refused(InstancesNotReady.class, () -> last.sealed(NAME, 0, 900, late));

    Set<String> orders = Set.of("orders");
    assertThat(prepared.fenceFor(NAME, "a", LASTING.givingUp(orders), late)).isNull();
    assertThat(prepared.fenced(FENCE).moved(NAME, "a", late, orders).isHandedOver()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"-1,false", "0,true", "100,true", "101,false"})
  void withRamp_percent_hasBounds(int percent, boolean allowed) {
    if (allowed) {
      assertThat(State.first().withRamp(percent).ramp()).isEqualTo(percent);
    } else {
      refused(KvException.InvalidArgument.class, () -> State.first().withRamp(percent));
    }
  }

  @Test
  void state_eachMember_isReturned() {
    State state =
        State.first().withFloor(1).withVersionCeiling(2).withApplied(3).withIncarnation(4);
    assertThat(List.of(state.floor(), state.versionCeiling(), state.applied()))
        .containsExactly(1L, 2L, 3L);
    assertThat(state.incarnation()).isEqualTo(4);
    assertThat(state.withRamp(7).withSealed(true).withFence(FENCE).toString())
        .isEqualTo(
            "LEGACY (epoch 0, accepts from 0, floor 1, copy null, incarnation 4, ramp 7 %, sealed, "
                + FENCE
                + ")");
    assertThat(state)
        .hasToString("LEGACY (epoch 0, accepts from 0, floor 1, copy null, incarnation 4)");
  }

  @Test
  void stepped_downwards_asksNobody() {
    InstanceRegistry late = new InstanceRegistry(NAME, Clock.systemUTC(), System::nanoTime);
    late.noteClient("batch");
    GateRecord prepared = GateRecord.of(dual.state().withCopy(Copy.draw("log")), null, List.of());
    State down = prepared.state().withEpoch(6).withPhase(Phase.SHADOW_WRITE);
    assertThat(prepared.stepped(NAME, prepared.state(), down, late)).isNotNull();
    State same = prepared.state().withAcceptMin(5);
    assertThat(prepared.stepped(NAME, prepared.state(), same, late)).isNotNull();
  }

  private static void refused(Class<? extends KvException> kind, ThrowingCallable operation) {
    assertThatThrownBy(operation).isExactlyInstanceOf(kind);
  }
}
