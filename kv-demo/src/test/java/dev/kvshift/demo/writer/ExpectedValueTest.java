package dev.kvshift.demo.writer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.demo.writer.JournaledWrite.Delete;
import dev.kvshift.demo.writer.JournaledWrite.Put;
import dev.kvshift.demo.writer.JournaledWrite.PutExpiring;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class ExpectedValueTest {
  private static final Instant NOON = Instant.parse("2026-11-20T12:00:00Z");

  @Test
  void allows_anExpiringValue_isExactAtItsBounds() {
    JournaledWrite write = new JournaledWrite(0, new PutExpiring(7, Duration.ofSeconds(10)), NOON);
    ExpectedValue expected = new ExpectedValue(false);
    expected.acknowledged(write.result(NOON.plusSeconds(2)));
    Instant earliest = NOON.plusSeconds(10).minusSeconds(1);
    Instant latest = NOON.plusSeconds(12).plusSeconds(1);

    assertThat(expected.allows(OptionalLong.empty(), NOON, earliest)).isTrue();
    assertThat(expected.allows(OptionalLong.empty(), NOON, earliest.minusMillis(1))).isFalse();
    assertThat(expected.allows(OptionalLong.of(7), latest, latest)).isTrue();
    assertThat(expected.allows(OptionalLong.of(7), latest.plusMillis(1), latest.plusMillis(1)))
        .isFalse();
    assertThat(expected.allows(OptionalLong.of(6), NOON, NOON)).isFalse();
  }

  @Test
  void allows_afterAnUnknownWrite_eitherValue() {
    ExpectedValue expected = new ExpectedValue(true);
    expected.unknown(new JournaledWrite(0, new Delete(), NOON).result(NOON));

    assertThat(expected.allows(OptionalLong.of(0), NOON, NOON)).isTrue();
    assertThat(expected.allows(OptionalLong.empty(), NOON, NOON)).isTrue();
    assertThat(expected.allows(OptionalLong.of(1), NOON, NOON)).isFalse();

    expected.acknowledged(new JournaledWrite(0, new Put(1), NOON).result(NOON));

    assertThat(expected.allows(OptionalLong.of(1), NOON, NOON)).isTrue();
    assertThat(expected.allows(OptionalLong.empty(), NOON, NOON)).isFalse();
  }
}
