package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The store is asked three times for each measurement; each answer takes 2 ms unless said. */
final class StoreClockTest {
  private static final Instant START = Instant.parse("2026-11-28T00:00:00Z");

  private Duration wall = Duration.ZERO;
  private Duration monotonic = Duration.ZERO;
  private Duration ahead = Duration.ZERO;
  private final Deque<Duration> roundTrips = new ArrayDeque<>();
  private final List<String> heard = new ArrayList<>();
  private final List<CompletableFuture<Instant>> late = new ArrayList<>();
  private boolean isLate;
  private @Nullable RuntimeException error;
  private int asked;

  private final StoreClock clock =
      new StoreClock(
          new VersionClock(new TestClock()),
          this::serverTime,
          (skew, failure) -> heard.add(failure == null ? String.valueOf(skew) : "failed"),
          () -> monotonic.toNanos());

  private final class TestClock extends Clock {
    @Override
    public Instant instant() {
      return START.plus(wall);
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      throw new UnsupportedOperationException();
    }
  }

  private CompletionStage<Instant> serverTime() {
    asked++;
    if (error != null) {
      throw error;
    }
    if (isLate) {
      CompletableFuture<Instant> answer = new CompletableFuture<>();
      late.add(answer);
      return answer;
    }
    Duration roundTrip = roundTrips.isEmpty() ? Duration.ofMillis(2) : roundTrips.remove();
    pass(roundTrip.dividedBy(2));
    Instant server = START.plus(wall).plus(ahead);
    pass(roundTrip.dividedBy(2));
    return CompletableFuture.completedFuture(server);
  }

  private void pass(Duration time) {
    wall = wall.plus(time);
    monotonic = monotonic.plus(time);
  }

  private static void await(CompletionStage<?> stage) {
    try {
      stage.toCompletableFuture().join();
    } catch (CompletionException e) {
      throw (RuntimeException) Futures.unwrap(e);
    }
  }

  @ParameterizedTest
  @CsvSource({"0", "37", "-37", "250", "-250"})
  void measure_anyOffset_findsItWithinItsUncertainty(long aheadMillis) {
    ahead = Duration.ofMillis(aheadMillis);
    await(clock.measure());
    ClockSkew skew = clock.skew();
    assertThat(skew).isNotNull();
    assertThat(skew.uncertainty()).isEqualTo(Duration.ofNanos(1_500_000));
    assertThat(skew.offset().minus(ahead).abs()).isLessThanOrEqualTo(skew.uncertainty());
    assertThat(clock.nowMicros())
        .isEqualTo(VersionClock.micros(START.plus(wall).plus(skew.offset())));
    assertThat(clock.isRight()).isTrue();
    assertThat(clock.failure()).isNull();
  }

  @Test
  void measure_threeRoundTrips_keepsTheShortest() {
    roundTrips.addAll(
        List.of(Duration.ofMillis(400), Duration.ofMillis(10), Duration.ofMillis(90)));
    await(clock.measure());
    assertThat(clock.skew()).isNotNull();
    assertThat(clock.skew().uncertainty()).isEqualTo(Duration.ofNanos(5_500_000));
    assertThat(asked).isEqualTo(3);
    assertThat(heard).containsExactly("0 ms ahead of this process's");
  }

  @Test
  void nowMicros_neverMeasured_isThisProcessesTime() {
    assertThat(clock.nowMicros()).isEqualTo(VersionClock.micros(START));
    assertThat(clock.isRight()).isFalse();
    assertThat(clock.skew()).isNull();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 100, -100})
  void hasExpired_measured_isCertainForEveryServer(long aheadMillis) {
    ahead = Duration.ofMillis(aheadMillis);
    await(clock.measure());
    assertThat(clock.skew()).isNotNull();
    Duration margin = clock.skew().expiryMargin();
    assertThat(margin).isGreaterThan(VersionClock.SKEW_LIMIT);
    Instant bound = START.plus(wall).minus(margin);
    assertThat(clock.hasExpired(bound)).isFalse();
    assertThat(clock.hasExpired(bound.minusNanos(1_000))).isTrue();
  }

  @Test
  void hasExpired_neverMeasured_allowsForTheSkewLimit() {
    assertThat(clock.hasExpired(START.minusMillis(250))).isFalse();
    assertThat(clock.hasExpired(START.minusMillis(250).minusNanos(1_000))).isTrue();
  }

  @Test
  void require_measuredLately_asksNothing() {
    await(clock.measure());
    pass(Duration.ofSeconds(29));
    await(clock.require());
    assertThat(asked).isEqualTo(3);
  }

  @Test
  void require_measuredLongAgo_measuresAgain() {
    await(clock.measure());
    pass(StoreClock.VALID_FOR);
    ahead = Duration.ofHours(-1);
    assertThatThrownBy(() -> await(clock.require()))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessageContaining("3,599,998 ms behind this process's");
    assertThat(clock.isRight()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(longs = {253, -253, 3_600_000, -3_600_000})
  void require_beyondTheLimit_isTransientAndMeasuresEachTime(long aheadMillis) {
    ahead = Duration.ofMillis(aheadMillis);
    for (int attempt = 1; attempt <= 2; attempt++) {
      assertThatThrownBy(() -> await(clock.require()))
          .isExactlyInstanceOf(KvException.Transient.class)
          .hasMessageContaining("nothing was written");
      assertThat(asked).isEqualTo(3 * attempt);
    }
    ahead = Duration.ZERO;
    await(clock.require());
  }

  @ParameterizedTest
  @ValueSource(longs = {251, -251, 3_600_000, -3_600_000})
  void require_wallClockStepped_measuresFirst(long stepMillis) {
    await(clock.measure());
    wall = wall.plusMillis(stepMillis);
    assertThat(clock.isRight()).isFalse();
    await(clock.require());
    assertThat(asked).isEqualTo(6);
  }

  @ParameterizedTest
  @ValueSource(longs = {250, -250})
  void isRight_wallClockDriftsWithinTheLimit_isTrue(long stepMillis) {
    await(clock.measure());
    wall = wall.plusMillis(stepMillis);
    assertThat(clock.isRight()).isTrue();
  }

  @Test
  void isRight_age_isExactAtItsBound() {
    pass(Duration.ofDays(20));
    for (int i = 0; i < 3; i++) {
      roundTrips.add(Duration.ZERO);
    }
    await(clock.measure());
    pass(StoreClock.VALID_FOR);
    assertThat(clock.isRight()).isTrue();
    pass(Duration.ofNanos(1));
    assertThat(clock.isRight()).isFalse();
  }

  @Test
  void measure_wallClockStepsWhileAsking_isNotRight() {
    isLate = true;
    CompletionStage<ClockSkew> measuring = clock.measure();
    isLate = false;
    wall = wall.plusSeconds(10);
    roundTrips.addAll(List.of(Duration.ofSeconds(1), Duration.ofSeconds(1)));
    late.get(0).complete(START);
    await(measuring);
    assertThat(clock.isRight()).isFalse();
  }

  @Test
  void measure_failure_leavesTheLastMeasurementAndItsAge() {
    await(clock.measure());
    error = new KvException.Transient("the store is down");
    assertThatThrownBy(() -> await(clock.measure())).isSameAs(error);
    assertThat(clock.failure()).isSameAs(error);
    assertThat(clock.isRight()).isTrue();
    pass(StoreClock.VALID_FOR);
    assertThatThrownBy(() -> await(clock.require())).isSameAs(error);
    error = null;
    await(clock.require());
    assertThat(clock.failure()).isNull();
    assertThat(heard).hasSize(4).contains("failed");
  }

  @Test
  void measure_driverThrowsAnything_fails() {
    error = new IllegalStateException("a fault");
    assertThatThrownBy(() -> await(clock.require()))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasCause(error);
    error = null;
    await(clock.require());
  }

  @Test
  void require_manyRequests_shareOneMeasurement() {
    isLate = true;
    CompletionStage<Void> first = clock.require();
    CompletionStage<Void> second = clock.require();
    assertThat(asked).isEqualTo(1);
    isLate = false;
    late.get(0).complete(START);
    await(first);
    await(second);
    assertThat(asked).isEqualTo(3);
  }
}
