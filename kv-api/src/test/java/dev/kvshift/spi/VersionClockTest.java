package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

final class VersionClockTest {
  private static final Instant NOW = Instant.parse("2026-11-20T10:00:00.123456789Z");
  private static final long MICROS = 1_795_168_800_123_456L;

  private final VersionClock clock = new VersionClock(Clock.fixed(NOW, ZoneOffset.UTC));

  @Test
  void micros_ofAnInstant_cutsNanoseconds() {
    assertThat(VersionClock.micros(NOW)).isEqualTo(MICROS);
    assertThat(VersionClock.micros(Instant.EPOCH.minusNanos(1))).isEqualTo(-1);
    assertThat(clock.nowMicros()).isEqualTo(MICROS);
  }

  @Test
  void next_clockStandsStill_risesByOne() {
    assertThat(clock.next(MICROS)).isEqualTo(MICROS);
    assertThat(clock.next(MICROS)).isEqualTo(MICROS + 1);
    assertThat(clock.next(MICROS)).isEqualTo(MICROS + 2);
  }

  @Test
  void next_manyThreads_issuesNoneTwice() {
    Set<Long> issued = ConcurrentHashMap.newKeySet();
    Set<CompletableFuture<Void>> threads = new HashSet<>();
    for (int i = 0; i < 4; i++) {
      threads.add(
          CompletableFuture.runAsync(
              () -> {
                for (int j = 0; j < 5_000; j++) {
                  issued.add(clock.next(MICROS));
                }
              }));
    }
    threads.forEach(CompletableFuture::join);
    assertThat(issued).hasSize(20_000);
  }

  @Test
  void observe_nearVersion_movesTheClock() {
    assertThat(clock.observe(MICROS + 1_250_000)).isTrue();
    assertThat(clock.next(MICROS)).isEqualTo(MICROS + 1_250_001);
    assertThat(clock.observe(MICROS)).isTrue();
    assertThat(clock.next(MICROS)).isEqualTo(MICROS + 1_250_002);
  }

  @Test
  void observe_farVersion_doesNot() {
    assertThat(clock.observe(MICROS + 1_250_001)).isFalse();
    assertThat(clock.next(MICROS)).isEqualTo(MICROS);
  }

  @Test
  void observe_versionThatIsKnown_isNotedWhateverTheClockSaysNow() {
    AtomicReference<Instant> now = new AtomicReference<>(NOW);
    VersionClock moving =
        new VersionClock(
            new Clock() {
              @Override
              public Instant instant() {
                return now.get();
              }

              @Override
              public ZoneId getZone() {
                return ZoneOffset.UTC;
              }

              @Override
              public Clock withZone(ZoneId zone) {
                throw new UnsupportedOperationException();
              }
            });
    assertThat(moving.last()).isZero();
    long version = moving.next(moving.nowMicros());
    assertThat(moving.last()).isEqualTo(version);
    now.set(NOW.minusSeconds(60));
    assertThat(moving.observe(version)).isTrue();
    assertThat(moving.observe(version + 1)).isFalse();
    assertThat(moving.last()).isEqualTo(version);
  }
}
