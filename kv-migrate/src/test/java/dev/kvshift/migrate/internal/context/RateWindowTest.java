package dev.kvshift.migrate.internal.context;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class RateWindowTest {
  private final RateWindow rate = new RateWindow();

  private void add(double second, long amount) {
    rate.add((long) (second * TimeUnit.SECONDS.toNanos(1)), amount);
  }

  @Test
  void perSecond_fewerThanTwoSamples_isZero() {
    assertThat(rate.perSecond()).isZero();
    add(1, 1_000_000);
    assertThat(rate.perSecond()).isZero();
  }

  @Test
  void perSecond_resumedAmount_countsOnlyWhatIsNew() {
    add(0, 1_000_000);
    add(2, 1_000_200);
    assertThat(rate.perSecond()).isEqualTo(100);
  }

  @Test
  void perSecond_slowBeginning_isForgottenAfterTheWindow() {
    for (int second = 0; second <= 60; second++) {
      add(second, second);
    }
    for (int second = 61; second <= 100; second++) {
      add(second, 60 + (second - 60) * 1_000L);
    }
    assertThat(rate.perSecond()).isEqualTo(1_000);
  }

  @Test
  void perSecond_manySamplesASecond_keepsTheWholeWindow() {
    for (int i = 0; i <= 20_000; i++) {
      add(i / 100.0, i < 18_000 ? 0 : i - 18_000);
    }
    assertThat(rate.perSecond()).isCloseTo(2_000 / 30.0, within(5.0));
  }

  @Test
  void perSecond_amountDecreases_beginsAnew() {
    add(0, 1_000);
    add(1, 10);
    assertThat(rate.perSecond()).isZero();
    add(2, 30);
    assertThat(rate.perSecond()).isEqualTo(20);
  }
}
