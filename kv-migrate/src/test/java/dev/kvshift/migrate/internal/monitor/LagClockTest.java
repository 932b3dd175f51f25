package dev.kvshift.migrate.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class LagClockTest {
  private final LagClock clock = new LagClock();

  private double seconds(double at, long committed, long applied) {
    return clock.seconds((long) (at * TimeUnit.SECONDS.toNanos(1)), committed, applied);
  }

  @Test
  void seconds_everythingApplied_isZero() {
    assertThat(seconds(0, 100, 100)).isZero();
    assertThat(seconds(5, 200, 200)).isZero();
    assertThat(seconds(10, 200, 250)).isZero();
  }

  @Test
  void seconds_applyStandsStill_growsFromTheFirstUnappliedPosition() {
    assertThat(seconds(0, 100, 100)).isZero();
    assertThat(seconds(5, 150, 100)).isZero();
    assertThat(seconds(10, 200, 100)).isEqualTo(5);
    assertThat(seconds(15, 300, 149)).isEqualTo(10);
    assertThat(seconds(20, 300, 150)).isEqualTo(10);
    assertThat(seconds(25, 300, 300)).isZero();
  }

  @Test
  void seconds_longLag_isKeptInBoundedMemory() {
    double lag = 0;
    for (int second = 0; second <= 5_000; second++) {
      lag = seconds(second, second + 1, 0);
    }
    assertThat(lag).isEqualTo(5_000);
    assertThat(seconds(5_001, 5_002, 2_500)).isCloseTo(2_501, within(16.0));
  }
}
