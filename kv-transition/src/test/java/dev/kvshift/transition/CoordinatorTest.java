package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.SideCounts;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.concurrent.InParallel;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CoordinatorTest {
  private static final Key KEY = Key.of(Bytes.utf8("main"), Bytes.utf8("a"));
  private static final Duration SHORT = Duration.ofMillis(300);

  private final TwoStores stores = new TwoStores();
  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final Coordinator coordinator =
      Coordinator.of(TwoStores.ITEMS, stores.onOld.gate()).withProgress(lines::add);

  @AfterEach
  void close() {
    stores.close();
  }

  @Test
  void moveTo_nobodyThere_takesEachStep() {
    Gate.State state = coordinator.moveTo(Phase.NEW_PRIMARY, TwoStores.PATIENCE);
    assertThat(state.phase()).isEqualTo(Phase.NEW_PRIMARY);
    assertThat(state.epoch()).isEqualTo(5);
    assertThat(state.acceptMin()).isEqualTo(5);
    assertThat(coordinator.moveTo(Phase.LEGACY, TwoStores.PATIENCE).epoch()).isEqualTo(10);
    assertThat(coordinator.moveTo(Phase.LEGACY, TwoStores.PATIENCE).epoch()).isEqualTo(10);
  }

  @Test
  void moveTo_operationOfAnOlderEpochRuns_waitsForItAndNamesItsService() {
    try (KvStore service = stores.connect("slow")) {
      KvCollection items = service.collection(TwoStores.ITEMS, TwoStores.LAYOUT);
      stores.awaitReady();
      CompletableFuture<Void> held = new CompletableFuture<>();
      stores.toOld.writesHeld = held;
      CompletableFuture<?> write = items.async().put(KEY, Bytes.utf8("1")).toCompletableFuture();
      Await.until("the write is on its way", () -> stores.toOld.writes.get() == 1);
      assertThatThrownBy(() -> coordinator.moveTo(Phase.SHADOW_WRITE, SHORT))
          .isInstanceOf(KvException.Transient.class)
          .hasMessageContaining("epoch 1 waits for 1 instance(s): slow ");
      Gate.State begun = join(stores.onOld.gate().state());
      assertThat(begun.phase()).isEqualTo(Phase.SHADOW_WRITE);
      assertThat(begun.acceptMin()).isZero();
      held.complete(null);
      join(write);
      assertThat(coordinator.moveTo(Phase.SHADOW_WRITE, TwoStores.PATIENCE).acceptMin())
          .isEqualTo(1);
    }
    assertThat(lines).anyMatch(line -> line.contains("waits for 1 instance(s): slow "));
  }

  @Test
  void moveTo_instanceThatIsGone_waitsForItsLeaseAlone() {
    KvStore service = stores.connect("gone");
    service.collection(TwoStores.ITEMS, TwoStores.LAYOUT);
    stores.awaitReady();
    service.close();
    assertThat(coordinator.moveTo(Phase.SHADOW_WRITE, TwoStores.PATIENCE).acceptMin()).isEqualTo(1);
  }

  @Test
  void moveTo_stepThatAnotherHasBegun_isCompleted() {
    Gate.State now = join(stores.onOld.gate().state());
    join(stores.onOld.gate().compareAndSet(now, now.withEpoch(1).withPhase(Phase.SHADOW_WRITE)));
    assertThat(coordinator.moveTo(Phase.DUAL_WRITE, TwoStores.PATIENCE).acceptMin()).isEqualTo(2);
  }

  @Test
  void moveTo_manyAtOnce_agree() {
    List<Gate.State> ends =
        InParallel.results(4, thread -> coordinator.moveTo(Phase.SHADOW_READ, TwoStores.PATIENCE));
    assertThat(ends)
        .allSatisfy(
            end -> {
              assertThat(end.phase()).isEqualTo(Phase.SHADOW_READ);
              assertThat(end.epoch()).isEqualTo(3);
              assertThat(end.acceptMin()).isEqualTo(3);
            });
  }

  @Test
  void moveTo_conditionNotMet_staysAndSaysWhatIsMissing() {
    AtomicBoolean met = new AtomicBoolean();
    Coordinator careful =
        coordinator.withCondition(
            Phase.DUAL_WRITE, state -> met.get() ? null : "the copy has not ended");
    assertThatThrownBy(() -> careful.moveTo(Phase.DUAL_WRITE, SHORT))
        .isInstanceOf(KvException.Transient.class)
        .hasMessageContaining("the step into DUAL_WRITE waits: the copy has not ended");
    assertThat(join(stores.onOld.gate().state()).phase()).isEqualTo(Phase.SHADOW_WRITE);
    met.set(true);
    careful.moveTo(Phase.DUAL_WRITE, TwoStores.PATIENCE);
    met.set(false);
    assertThat(careful.moveTo(Phase.LEGACY, TwoStores.PATIENCE).phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void moveTo_instanceThatCannotFollow_waitsForItAndNamesIt() {
    Store leader = stores.oldStore;
    join(leader.report(instance(Phase.LEGACY)));
    assertThatThrownBy(() -> coordinator.moveTo(Phase.SHADOW_WRITE, SHORT))
        .isInstanceOf(InstancesNotReady.class)
        .hasMessageContaining("orders (i1): its library knows no phase above LEGACY");
    assertThat(lines)
        .contains(
            "collection items: the step into SHADOW_WRITE waits for 1 instance(s): orders (i1): its"
                + " library knows no phase above LEGACY: upgrade it");
    CompletableFuture<Gate.State> stepped =
        CompletableFuture.supplyAsync(
            () -> coordinator.moveTo(Phase.SHADOW_WRITE, TwoStores.PATIENCE));
    join(leader.report(instance(Phase.NEW_ONLY)));
    assertThat(join(stepped).phase()).isEqualTo(Phase.SHADOW_WRITE);
  }

  @ParameterizedTest
  @ValueSource(longs = {-10, 10})
  void moveTo_instanceTenMinutesOff_waitsForItUpAndNotBack(long minutes) {
    coordinator.moveTo(Phase.SHADOW_WRITE, TwoStores.PATIENCE);
    stores.clock = new VersionClock(Clock.offset(Clock.systemUTC(), Duration.ofMinutes(minutes)));
    try (KvStore service = stores.connect("off")) {
      service.collection(TwoStores.ITEMS, TwoStores.LAYOUT);
      Await.until(
          "its clock is known",
          () ->
              join(stores.onOld.gate().instances()).stream()
                  .anyMatch(one -> one.use().skew() != null));
      assertThatThrownBy(() -> coordinator.moveTo(Phase.DUAL_WRITE, SHORT))
          .isInstanceOf(InstancesNotReady.class)
          .hasMessageContaining("off (")
          .hasMessageContaining("clock");
      assertThat(coordinator.moveTo(Phase.LEGACY, TwoStores.PATIENCE).phase())
          .isEqualTo(Phase.LEGACY);
    }
  }

  private InstanceReport instance(Phase newest) {
    return InstanceReport.of("i1", "orders")
        .withNewestPhase(newest)
        .withUse(
            TwoStores.ITEMS,
            InstanceReport.Use.acknowledging(0).withCopy(stores.copy).withSkew(Duration.ZERO));
  }

  @Test
  void moveTo_dwell_isKeptOnTheWayUpAlone() {
    Coordinator patient = coordinator.withDwell(Duration.ofSeconds(1));
    long begun = System.nanoTime();
    patient.moveTo(Phase.DUAL_WRITE, SHORT);
    assertThat(System.nanoTime() - begun).isGreaterThanOrEqualTo(Duration.ofSeconds(1).toNanos());
    assertThat(lines)
        .contains("collection items: the step into DUAL_WRITE waits: the phase lasts 1 s at least");
    lines.clear();
    patient.moveTo(Phase.LEGACY, TwoStores.PATIENCE);
    assertThat(lines).noneMatch(line -> line.contains("lasts"));
  }

  @Test
  void moveTo_instancesCountTrouble_lastsUntilTheyDoNot() {
    Store leader = stores.oldStore;
    join(leader.report(counting(SideCounts.NONE)));
    coordinator.moveTo(Phase.SHADOW_WRITE, TwoStores.PATIENCE);
    Coordinator patient = coordinator.withDwell(Duration.ofMillis(500));
    CompletableFuture<Gate.State> stepped =
        CompletableFuture.supplyAsync(() -> patient.moveTo(Phase.DUAL_WRITE, TwoStores.PATIENCE));
    String again =
        "collection items: the step into DUAL_WRITE waits: the phase lasts 0 s at least, again"
            + " since the new side failed 1 of 10 requests";
    Await.until(
        "the dwell begins",
        () -> lines.stream().anyMatch(line -> line.endsWith("lasts 0 s at least")));
    join(leader.report(counting(SideCounts.NONE.withRequests(10, 1))));
    Await.until("the dwell begins again", () -> lines.contains(again));
    Await.until(
        "the step is taken",
        () -> {
          join(leader.report(counting(SideCounts.NONE.withRequests(10, 1))));
          return stepped.isDone();
        });
    assertThat(join(stepped).phase()).isEqualTo(Phase.DUAL_WRITE);
  }

  private InstanceReport counting(SideCounts counts) {
    return InstanceReport.of("i1", "orders")
        .withNewestPhase(Phase.NEW_ONLY)
        .withUse(
            TwoStores.ITEMS,
            InstanceReport.Use.acknowledging(join(stores.onOld.gate().state()).epoch())
                .withCopy(stores.copy)
                .withSkew(Duration.ZERO)
                .withCounts(counts));
  }

  @Test
  void moveTo_hook_isCalledBeforeAndAfterEachStep() {
    RecordingHook hook = new RecordingHook();
    Coordinator hooked = coordinator.withHook(hook);
    hooked.moveTo(Phase.DUAL_WRITE, TwoStores.PATIENCE);
    hooked.moveTo(Phase.SHADOW_WRITE, TwoStores.PATIENCE);
    assertThat(hook.calls)
        .containsExactly(
            "before LEGACY SHADOW_WRITE",
            "after LEGACY SHADOW_WRITE",
            "before SHADOW_WRITE DUAL_WRITE",
            "after SHADOW_WRITE DUAL_WRITE",
            "before DUAL_WRITE SHADOW_WRITE",
            "after DUAL_WRITE SHADOW_WRITE");
  }

  @Test
  void moveTo_hookFails_preventsAStepUpAndNoOther() {
    RecordingHook hook = new RecordingHook();
    Coordinator hooked = coordinator.withHook(hook);
    coordinator.moveTo(Phase.DUAL_WRITE, TwoStores.PATIENCE);
    hook.failing = "before";
    assertThatThrownBy(() -> hooked.moveTo(Phase.SHADOW_READ, SHORT))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessage("the hook failed");
    assertThat(join(stores.onOld.gate().state()).phase()).isEqualTo(Phase.DUAL_WRITE);
    assertThat(hooked.moveTo(Phase.SHADOW_WRITE, TwoStores.PATIENCE).phase())
        .isEqualTo(Phase.SHADOW_WRITE);
    hook.failing = "after";
    assertThat(hooked.moveTo(Phase.DUAL_WRITE, TwoStores.PATIENCE).phase())
        .isEqualTo(Phase.DUAL_WRITE);
    assertThat(lines).filteredOn("collection items: the hook failed"::equals).hasSize(2);
  }

  private static final class RecordingHook implements Coordinator.Hook {
    private final List<String> calls = new CopyOnWriteArrayList<>();
    private String failing = "";

    @Override
    public void before(Phase from, Phase to) {
      call("before", from, to);
    }

    @Override
    public void after(Phase from, Phase to) {
      call("after", from, to);
    }

    private void call(String event, Phase from, Phase to) {
      if (event.equals(failing)) {
        throw new KvException.Transient("the hook failed");
      }
      calls.add(event + " " + from + " " + to);
    }
  }

  @Test
  void moveTo_newOnly_isRefused() {
    assertThatThrownBy(() -> coordinator.moveTo(Phase.NEW_ONLY, SHORT))
        .isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void ramp_isKeptByTheLeaderAndEndsWithThePhase() {
    coordinator.moveTo(Phase.SHADOW_WRITE, TwoStores.PATIENCE);
    assertThat(coordinator.ramp(5).ramp()).isEqualTo(5);
    assertThat(coordinator.moveTo(Phase.DUAL_WRITE, TwoStores.PATIENCE).ramp()).isEqualTo(100);
    assertThatThrownBy(() -> coordinator.ramp(101)).isInstanceOf(KvException.InvalidArgument.class);
  }
}
