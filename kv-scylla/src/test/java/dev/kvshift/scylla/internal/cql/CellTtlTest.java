package dev.kvshift.scylla.internal.cql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

final class CellTtlTest {
  private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");

  @Test
  void of_expiryWithinASecond_roundsUpAndAddsTheMargin() {
    VersionClock clock = at(NOW);
    long second = NOW.getEpochSecond();
    assertThat(CellTtl.of(NOW.plusMillis(5_000), clock)).isEqualTo(new CellTtl(second + 65));
    assertThat(CellTtl.of(NOW.plusMillis(5_001), clock)).isEqualTo(new CellTtl(second + 66));
    assertThat(CellTtl.of(NOW.plusMillis(5_999), clock)).isEqualTo(new CellTtl(second + 66));
    assertThat(new CellTtl(second + 65).seconds(clock)).isEqualTo(65);
    assertThat(new CellTtl(second - 9).seconds(clock)).isEqualTo(1);
    assertThat(new CellTtl(second + 65).fixedNow()).isEqualTo(second + 65 - CellTtl.FIXED_SECONDS);
  }

  @Test
  void of_moreThanTenYears_getsNone() {
    VersionClock clock = at(NOW);
    Instant last = NOW.plus(Duration.ofDays(3_660));
    assertThat(CellTtl.of(last, clock)).isNotNull();
    assertThat(CellTtl.of(last.plusMillis(1), clock)).isNull();
  }

  /** Within ten years, but in a second that servers cannot store. */
  @Test
  void of_beyondTheLastSecondOf2038_getsNone() {
    VersionClock clock = at(Instant.parse("2035-01-01T00:00:00Z"));
    Instant last = Instant.ofEpochSecond(CellTtl.LAST_SECOND - 60);
    assertThat(CellTtl.of(last, clock)).isEqualTo(new CellTtl(CellTtl.LAST_SECOND));
    assertThat(CellTtl.of(last.plusMillis(1), clock)).isNull();
    assertThat(last).isBetween("2038-01-19T03:13:00Z", "2038-01-19T03:14:00Z");
  }

  private static VersionClock at(Instant now) {
    return new VersionClock(Clock.fixed(now, ZoneOffset.UTC));
  }

  @Test
  void ofKept_expiry_isRemovableNinetyDaysLaterButBeforeADeleteOfItsVersion() {
    long second = NOW.getEpochSecond();
    long version = VersionClock.micros(NOW);
    assertThat(CellTtl.ofDeleted(version)).isEqualTo(new CellTtl(second + 365 * 86_400L));
    assertThat(CellTtl.ofKept(NOW.plusMillis(5_000), version))
        .isEqualTo(new CellTtl(second + 5 + 90 * 86_400L));
    Instant last = NOW.plus(Duration.ofDays(275));
    assertThat(CellTtl.ofKept(last.minusMillis(1_000), version)).isNotNull();
    assertThat(CellTtl.ofKept(last, version)).isNull();
  }

  @Test
  void ofDeleted_beyondTheLastSecond_isRemovableThen() {
    long last = CellTtl.LAST_SECOND - 10;
    long version = last * 1_000_000;
    assertThat(CellTtl.ofDeleted(version)).isEqualTo(new CellTtl(CellTtl.LAST_SECOND));
    Instant expiry = Instant.ofEpochSecond(CellTtl.LAST_SECOND - 90 * 86_400L);
    assertThat(CellTtl.ofKept(expiry, version)).isNull();
    assertThat(CellTtl.ofKept(expiry.minusSeconds(1), version)).isNotNull();
  }
}
