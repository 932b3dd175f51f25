package dev.kvshift.legacy.server.internal.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests of the steps of the wall clock that the leader follows. */
class LeaderClockTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private Instant wall = START;
  private long nanos = 77;
  private final LeaderClock clock = new LeaderClock(() -> new TimeSource.Reading(wall, nanos));

  private void pass(Duration wallTime, Duration monotonicTime) {
    wall = wall.plus(wallTime);
    nanos += monotonicTime.toNanos();
  }

  @ParameterizedTest
  @CsvSource({
    // wall ms, monotonic ms, expected ms, lead ms
    "0, 0, 0, 0",
    "1000, 1000, 1000, 0",
    "1000, 0, 1000, 0",
    "1001, 0, 0, 1001",
    "31000, 30000, 31000, 0",
    "31001, 30000, 30000, 1001",
    "691200000, 1000, 1000, 691199000",
    "-5000, 1000, -5000, 0",
    "-691200000, 0, -691200000, 0",
  })
  void read_afterAStep_followsItUpToASecondAhead(
      long wallMillis, long monotonicMillis, long expectedMillis, long leadMillis) {
    pass(Duration.ofMillis(wallMillis), Duration.ofMillis(monotonicMillis));

    assertThat(clock.read())
        .isEqualTo(
            new LeaderClock.Time(START.plusMillis(expectedMillis), Duration.ofMillis(leadMillis)));
    assertThat(clock.instant()).isEqualTo(START.plusMillis(expectedMillis));
  }

  @Test
  void read_wallClockRightAgain_isConfirmed() {
    pass(Duration.ofDays(8), Duration.ZERO);
    assertThat(clock.read().isConfirmed()).isFalse();

    pass(Duration.ofDays(-8).plusMinutes(1), Duration.ofMinutes(1));

    assertThat(clock.read())
        .isEqualTo(new LeaderClock.Time(START.plus(Duration.ofMinutes(1)), Duration.ZERO));
  }

  @Test
  void read_aheadForLong_isNeverConfirmedByWaiting() {
    pass(Duration.ofDays(8), Duration.ZERO);
    for (int minute = 0; minute < 100; minute++) {
      pass(Duration.ofMinutes(1), Duration.ofMinutes(1));
      assertThat(clock.read().lead()).isEqualTo(Duration.ofDays(8));
    }
  }

  @Test
  void read_wallClockSetBackAndAheadAgain_isConfirmed() {
    pass(Duration.ofHours(-1), Duration.ofMinutes(2));
    assertThat(clock.read().isConfirmed()).isTrue();

    pass(Duration.ofHours(1).plusMinutes(4), Duration.ofMinutes(2));

    assertThat(clock.read())
        .isEqualTo(new LeaderClock.Time(START.plus(Duration.ofMinutes(4)), Duration.ZERO));
  }

  @Test
  void read_slewedWallClock_isFollowed() {
    for (int minute = 0; minute < 100; minute++) {
      pass(Duration.ofMillis(60_900), Duration.ofMinutes(1));
      assertThat(clock.read().isConfirmed()).isTrue();
    }
    assertThat(clock.instant()).isEqualTo(START.plusMillis(100 * 60_900));
  }

  @Test
  void read_stepsWithinAMinute_areSummedUp() {
    pass(Duration.ofMillis(900), Duration.ZERO);
    assertThat(clock.read().isConfirmed()).isTrue();
    pass(Duration.ofMillis(900), Duration.ofSeconds(1));

    assertThat(clock.read().isConfirmed()).isTrue();
    pass(Duration.ofMillis(1_101), Duration.ofSeconds(0));
    assertThat(clock.read())
        .isEqualTo(new LeaderClock.Time(START.plusSeconds(1), Duration.ofMillis(1_901)));
  }
}
