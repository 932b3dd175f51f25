package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Leases and unreported clients, exact at their bounds. */
final class InstanceRegistryTest {
  private static final String NAME = "files";
  private static final Instant START = Instant.ofEpochSecond(1_000);
  private static final Copy COPY = Copy.draw("log");

  private final HandClock clock = new HandClock();
  private final InstanceRegistry registry = new InstanceRegistry(NAME, clock, () -> clock.nanos);

  private static final class HandClock extends Clock {
    private Instant now = START;
    private long nanos = 1;

    /** Moves both clocks to so long after the start. */
    void at(Duration sinceStart) {
      now = START.plus(sinceStart);
      nanos = 1 + sinceStart.toNanos();
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return now;
    }
  }

  private static InstanceReport report(String instance, long acknowledged) {
    return InstanceReport.of(instance, "orders")
        .withNewestPhase(Phase.NEW_ONLY)
        .withUse(NAME, InstanceReport.Use.acknowledging(acknowledged));
  }

  @Test
  void instance_lease_endsAfterItAndAMargin() {
    registry.report(report("one", 0), 0);
    assertThat(registry.instances())
        .singleElement()
        .satisfies(one -> assertThat(one.leaseEnds()).isEqualTo(START.plusSeconds(5)));
    clock.at(Duration.ofSeconds(6).minusNanos(1));
    assertThat(registry.instances()).hasSize(1);
    assertThat(registry.forgetGone()).isEmpty();
    clock.at(Duration.ofSeconds(6));
    assertThat(registry.instances()).isEmpty();
    assertThat(registry.forgetGone()).containsExactly("one");
    assertThat(registry.isNew("one")).isTrue();
  }

  @Test
  void instance_wallClockJumps_isKept() {
    registry.report(report("one", 0), 0);
    registry.noteClient("batch");
    clock.now = START.plus(Duration.ofDays(8));
    assertThat(registry.instances()).hasSize(2);
    assertThat(registry.forgetGone()).isEmpty();
  }

  @Test
  void report_again_renewsTheLeaseAndReplacesWhatWasSaid() {
    registry.report(report("one", 0), 1);
    clock.at(Duration.ofSeconds(3));
    registry.report(report("one", 1), 1);
    assertThat(registry.instances())
        .singleElement()
        .satisfies(
            one -> {
              assertThat(one.leaseEnds()).isEqualTo(START.plusSeconds(8));
              assertThat(one.use().acknowledged()).isEqualTo(1);
            });
  }

  @Test
  void report_futureEpoch_isRefused() {
    assertThatThrownBy(() -> registry.report(report("one", 2), 1))
        .isExactlyInstanceOf(KvException.Permanent.class);
    assertThat(registry.instances()).isEmpty();
  }

  @Test
  void report_tooManyInstances_refusesNewOnesAlone() {
    for (int i = 0; i < GateRecord.MAX_INSTANCES; i++) {
      registry.report(report("instance-" + i, 0), 0);
    }
    assertThatThrownBy(() -> registry.report(report("another", 0), 0))
        .isExactlyInstanceOf(KvException.Transient.class);
    registry.report(report("instance-0", 0), 0);
  }

  @Test
  void client_withoutReport_standsInTheWayForTenSeconds() {
    registry.noteClient("batch");
    clock.at(Duration.ofSeconds(10).minusNanos(1));
    assertThatThrownBy(() -> registry.requireReady(Phase.NEW_ONLY, COPY, Set.of()))
        .isExactlyInstanceOf(InstancesNotReady.class)
        .hasMessageContaining("batch");
    registry.requireReady(Phase.NEW_ONLY, COPY, Set.of("batch"));
    registry.requireReady(Phase.NEW_ONLY, null, Set.of());
    clock.at(Duration.ofSeconds(10));
    registry.requireReady(Phase.NEW_ONLY, COPY, Set.of());
    assertThat(registry.instances()).isEmpty();
  }

  @Test
  void client_oneTooMany_countsAsAnother() {
    for (int i = 0; i <= InstanceRegistry.MAX_CLIENTS + 5; i++) {
      registry.noteClient("client-" + i);
    }
    assertThat(registry.instances()).hasSize(InstanceRegistry.MAX_CLIENTS + 1);
    assertThatThrownBy(() -> registry.requireReady(Phase.NEW_ONLY, COPY, Set.of()))
        .hasMessageContaining("1001 of its instances")
        .hasMessageContaining("…");
  }

  @Test
  void instances_reportedOrNot_areSortedWithTheEndOfTheirLeases() {
    clock.at(Duration.ofDays(1));
    registry.report(report("two", 0), 0);
    registry.report(report("a", 0), 0);
    registry.noteClient("batch");
    clock.at(Duration.ofDays(1).plusSeconds(1));
    List<Gate.Instance> all = registry.instances();
    assertThat(all).extracting(Gate.Instance::name).containsExactly("a", "client batch", "two");
    assertThat(all.get(1).leaseEnds()).isEqualTo(START.plus(Duration.ofDays(1)).plusSeconds(10));
  }

  @Test
  void restored_instance_isNotReadyUntilItReports() {
    registry.restore("one", 7);
    assertThat(registry.instances())
        .singleElement()
        .satisfies(one -> assertThat(one.use().acknowledged()).isEqualTo(7));
    assertThatThrownBy(() -> registry.requireReady(Phase.NEW_ONLY, COPY, Set.of()))
        .hasMessageContaining("has not reported since the leader started");
    registry.report(
        report("one", 7)
            .withUse(
                NAME, InstanceReport.Use.acknowledging(7).withCopy(COPY).withSkew(Duration.ZERO)),
        7);
    registry.requireReady(Phase.NEW_ONLY, COPY, Set.of());
  }

  @Test
  void notReady_message_namesInstanceServiceAndReason() {
    registry.report(report("one", 0), 0);
    assertThatThrownBy(() -> registry.requireReady(Phase.NEW_ONLY, COPY, Set.of()))
        .hasMessage(
            "collection files stays as it is: 1 of its instances is not ready: orders (one): it has"
                + " not opened its new side yet");
  }
}
