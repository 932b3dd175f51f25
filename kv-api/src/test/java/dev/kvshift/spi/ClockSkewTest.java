package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ClockSkewTest {
  private static final Instant SENT = Instant.parse("2026-11-28T00:00:00Z");

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0, true, 0 ms ahead of the runner's",
    "0, 10, 0, true, 0 ms ahead of the runner's",
    "10, 10, 0, true, 0 ms ahead of the runner's",
    "11, 10, 1, true, 1 ms ahead of the runner's",
    "-1, 10, -1, true, 1 ms behind the runner's",
    "260, 10, 250, true, 250 ms ahead of the runner's",
    "261, 10, 251, false, 251 ms ahead of the runner's",
    "-250, 10, -250, true, 250 ms behind the runner's",
    "-251, 10, -251, false, 251 ms behind the runner's",
    "-3600000, 900, -3600000, false, '3,600,000 ms behind the runner''s'"
  })
  void of_serverTimeAgainstTheRoundTrip_countsTheRestAsSkew(
      long serverMillis, long roundTripMillis, long offset, boolean isWithinLimit, String text) {
    ClockSkew skew =
        ClockSkew.of(SENT, SENT.plusMillis(serverMillis), SENT.plusMillis(roundTripMillis));

    assertThat(skew.atLeast()).isEqualTo(Duration.ofMillis(offset));
    assertThat(skew.uncertainty().multipliedBy(2)).isEqualTo(Duration.ofMillis(roundTripMillis));
    assertThat(skew.offset()).isEqualTo(Duration.ofMillis(serverMillis).minus(skew.uncertainty()));
    assertThat(skew.isWithinLimit()).isEqualTo(isWithinLimit);
    assertThat(skew.against("the runner's")).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"0, 0, 250", "20, 5, 275", "-20, 5, 275", "0, 300, 550"})
  void expiryMargin_isEveryTimeThatTheClockMayShowAndTheSkewLimit(
      long offset, long uncertainty, long margin) {
    ClockSkew skew = ClockSkew.of(Duration.ofMillis(offset), Duration.ofMillis(uncertainty));

    assertThat(skew.expiryMargin()).isEqualTo(Duration.ofMillis(margin));
  }

  @Test
  void equals_sameOffsetAndUncertainty_isEqual() {
    ClockSkew skew = ClockSkew.of(Duration.ofMillis(3), Duration.ofMillis(1));
    assertThat(skew)
        .isEqualTo(ClockSkew.of(Duration.ofMillis(3), Duration.ofMillis(1)))
        .hasSameHashCodeAs(ClockSkew.of(Duration.ofMillis(3), Duration.ofMillis(1)))
        .isNotEqualTo(ClockSkew.of(Duration.ofMillis(-3), Duration.ofMillis(1)))
        .isNotEqualTo(ClockSkew.of(Duration.ofMillis(3), Duration.ofMillis(2)))
        .hasToString("2 ms ahead of this process's");
  }
}
