package dev.kvshift.demo.writer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.demo.writer.CutoverTimes.Interval;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class WriteTimesTest {
  private static final Instant NOON = Instant.parse("2026-11-28T12:00:00Z");

  @Test
  void percentile_oneInAThousandIsSlow_isThatOfTheOthers() {
    WriteTimes times = new WriteTimes();
    for (int i = 0; i < 999; i++) {
      times.add(Duration.ofMillis(5));
    }
    times.add(Duration.ofSeconds(1));
    assertThat(times.percentile(0.999)).isEqualTo(Duration.ofNanos(5_100_000));

    times.add(Duration.ofSeconds(1));
    assertThat(times.percentile(0.999)).isEqualTo(Duration.ofNanos(1_000_100_000));
  }

  @Test
  void percentile_noneOrVeryLong_isBounded() {
    WriteTimes times = new WriteTimes();
    assertThat(times.percentile(0.999)).isZero();

    times.add(Duration.ofHours(1));
    assertThat(times.percentile(0.999)).isEqualTo(Duration.ofNanos(60_000_100_000L));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 9, false",
    "0, 10, true",
    "12, 15, true",
    "0, 30, true",
    "19, 25, true",
    "20, 25, false"
  })
  void stepDuring_atTheBounds_isExact(long sent, long ended, boolean expected) {
    CutoverTimes times =
        new CutoverTimes(
            NOON, List.of(new Interval("new-read", NOON.plusMillis(10), NOON.plusMillis(20))));

    assertThat(times.stepDuring(NOON.plusMillis(sent), NOON.plusMillis(ended)).isPresent())
        .isEqualTo(expected);
  }
}
