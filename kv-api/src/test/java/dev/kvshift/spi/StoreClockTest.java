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
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
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
  private List<Supplier<CompletionStage<Instant>>> servers = List.of(this::serverTime);
  private final Deque<Duration> roundTrips = new ArrayDeque<>();
  private final List<String> heard = new ArrayList<>();
  private final List<CompletableFuture<Instant>> late = new ArrayList<>();
  private boolean isLate;
  private @Nullable RuntimeException error;
  private int asked;

  private final StoreClock clock =
      new StoreClock(
          new VersionClock(new TestClock()),
          () -> CompletableFuture.completedFuture(servers),
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

  /** A server that answers at once, and whose clock is ahead by so much. */
  private Supplier<CompletionStage<Instant>> server(Duration serverAhead) {
    return () -> CompletableFuture.completedFuture(START.plus(wall).plus(serverAhead));
  }

  private static CompletionStage<Instant> down() {
    return CompletableFuture.failedFuture(new KvException.Transient("a server is down"));
  }

  private static long micros(Duration duration) {
    return duration.toNanos() / 1_000;
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(30));
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
    Duration drift = monotonic.dividedBy(1_000); // 1 ms a second
    Instant bound = START.plus(wall).minus(margin).minus(drift);
    assertThat(clock.hasExpired(bound)).isFalse();
    assertThat(clock.hasExpired(bound.minusNanos(1_000))).isTrue();
  }

  @Test
  void hasExpired_neverMeasured_isUnknown() {
    assertThat(clock.hasExpired(START.minus(Duration.ofDays(1)))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(longs = {60, -60})
  void hasExpired_wallClockSetSince_doesNotFollowIt(long minutes) {
    await(clock.measure());
    Instant expiry = START.plus(Duration.ofMinutes(30));
    wall = wall.plus(Duration.ofMinutes(minutes));
    assertThat(clock.hasExpired(expiry)).isFalse();
    pass(Duration.ofMinutes(31));
    assertThat(clock.hasExpired(expiry)).isEqualTo(minutes > 0);
    pass(Duration.ofMinutes(60).plusSeconds(10));
    assertThat(clock.hasExpired(expiry)).isTrue();
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
  @ValueSource(longs = {20_001, -20_001, 3_600_000_000L, -3_600_000_000L})
  void require_wallClockStepped_measuresFirst(long stepMicros) {
    await(clock.measure());
    long before = clock.nowMicros();
    wall = wall.plusNanos(1_000 * stepMicros);
    assertThat(clock.nowMicros()).isEqualTo(before);
    assertThat(clock.isRight()).isFalse();
    assertThat(clock.drawNow(0)).isEqualTo(StoreClock.NOT_NOW);
    await(clock.require());
    assertThat(asked).isEqualTo(6);
  }

  @ParameterizedTest
  @ValueSource(longs = {20_000, -20_000})
  void isRight_shortStep_isUncertainty(long stepMicros) {
    await(clock.measure());
    Duration before = clock.uncertainty();
    wall = wall.plusNanos(1_000 * stepMicros);
    assertThat(clock.isRight()).isTrue();
    assertThat(clock.uncertainty()).isEqualTo(before.plusMillis(20));
  }

  /** The wall clock goes on while the machine is suspended; the monotonic one does not. */
  @Test
  void draw_suspendedBetweenTwoMeasurements_measuresFirst() {
    await(clock.measure());
    wall = wall.plusSeconds(3_600);
    long version = clock.draw(0, call()).toCompletableFuture().join();
    assertThat(asked).isEqualTo(6);
    assertThat(version).isGreaterThan(VersionClock.micros(START.plusSeconds(3_600)));
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "1_000_000, 1_001", "14_999_999, 15_000", "30_000_000, 30_001"})
  void uncertainty_age_growsByTheDrift(long ageMicros, long drift) {
    servers = List.of(server(Duration.ZERO));
    await(clock.measure());
    pass(Duration.ofNanos(1_000 * ageMicros));
    assertThat(clock.uncertainty()).isEqualTo(Duration.ofNanos(500_000 + 1_000 * drift));
  }

  @Test
  void uncertainty_neverMeasured_isUnknown() {
    assertThat(clock.uncertainty()).isNull();
    assertThat(clock.drawNow(0)).isEqualTo(StoreClock.NOT_NOW);
  }

  @ParameterizedTest
  @CsvSource({"0, 0, 0, 500", "0, 100, -60, 80_500", "-30, -30, -20, 5_500"})
  void measure_serversDisagree_coversTheWorst(long one, long two, long three, long uncertainty) {
    List<Duration> all = Stream.of(one, two, three).map(Duration::ofMillis).toList();
    servers = all.stream().map(this::server).toList();
    await(clock.measure());
    assertThat(clock.skew()).isNotNull();
    assertThat(micros(clock.skew().uncertainty())).isEqualTo(uncertainty);
    for (Duration each : all) {
      assertThat(clock.skew().offset().minus(each).abs())
          .isLessThanOrEqualTo(clock.skew().uncertainty());
    }
  }

  @ParameterizedTest
  @CsvSource({"249_499, true", "249_500, false"})
  void isRight_serversDisagree_isExactAtTheLimit(long apartMicros, boolean isRight) {
    Duration apart = Duration.ofNanos(1_000 * apartMicros);
    servers = List.of(server(apart), server(apart.negated()));
    await(clock.measure());
    assertThat(clock.isRight()).isEqualTo(isRight);
    assertThat(clock.drawNow(0) != StoreClock.NOT_NOW).isEqualTo(isRight);
  }

  @Test
  void draw_serversTooFarApart_isTransientAndDrawsNothing() {
    servers = List.of(server(Duration.ofMillis(260)), server(Duration.ofMillis(-260)));
    assertThatThrownBy(() -> await(clock.draw(0, call())))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessageContaining("known to within 260 ms only, at most 250 ms are allowed");
  }

  @Test
  void measure_oneOfThreeServersDown_usesTheOthers() {
    servers =
        List.of(StoreClockTest::down, server(Duration.ofMillis(10)), server(Duration.ofMillis(20)));
    await(clock.measure());
    assertThat(clock.skew())
        .isEqualTo(ClockSkew.of(Duration.ofNanos(15_500_000), Duration.ofNanos(5_500_000)));
  }

  @Test
  void measure_halfOfTheServersDown_fails() {
    servers = List.of(server(Duration.ZERO), StoreClockTest::down);
    assertThatThrownBy(() -> await(clock.measure()))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessageContaining("only 1 of the store's 2 servers")
        .hasCauseInstanceOf(KvException.Transient.class);
    assertThat(clock.skew()).isNull();
    servers = List.of();
    assertThatThrownBy(() -> await(clock.measure()))
        .isExactlyInstanceOf(KvException.Transient.class);
  }

  @Test
  void measure_oneServerHangs_endsWithTheOthers() {
    servers = List.of(server(Duration.ZERO), CompletableFuture::new, server(Duration.ZERO));
    await(clock.measure());
    assertThat(clock.isRight()).isTrue();
  }

  /** The answer is late on one way only: the time is within the uncertainty all the same. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void measure_answerLateOnOneWay_coversTheTruth(boolean onTheWayBack) {
    Duration late = Duration.ofMillis(200);
    servers =
        List.of(
            () -> {
              pass(onTheWayBack ? Duration.ZERO : late);
              Instant time = START.plus(wall);
              pass(onTheWayBack ? late : Duration.ZERO);
              return CompletableFuture.completedFuture(time);
            });
    await(clock.measure());
    long off = Math.abs(clock.nowMicros() - VersionClock.micros(START.plus(wall)));
    assertThat(off).isGreaterThan(99_000).isLessThanOrEqualTo(micros(clock.uncertainty()));
  }

  @Test
  void drawNow_floor_isExactAtItsBound() {
    servers = List.of(server(Duration.ofMillis(-100)));
    await(clock.measure());
    long certain = clock.nowMicros() - micros(clock.uncertainty());
    assertThat(clock.drawNow(certain)).isEqualTo(StoreClock.NOT_NOW);
    assertThat(clock.drawNow(certain - 1)).isEqualTo(clock.nowMicros());
    assertThat(clock.drawNow(certain - 1)).isEqualTo(clock.nowMicros() + 1);
  }

  @Test
  void draw_floorAhead_waitsUntilTheTimeHasCertainlyPassedIt() {
    servers = List.of(server(Duration.ZERO));
    await(clock.measure());
    long floor = clock.nowMicros() + 5_000;
    CompletableFuture<Long> drawn = clock.draw(floor, call()).toCompletableFuture();
    assertThat(drawn).isNotDone();
    pass(Duration.ofMillis(7));
    assertThat(drawn.orTimeout(30, TimeUnit.SECONDS).join()).isGreaterThan(floor);
  }

  @Test
  void draw_floorAfterTheDeadline_isTransientAtOnce() {
    servers = List.of(server(Duration.ZERO));
    long floor = VersionClock.micros(START.plusSeconds(60));
    assertThatThrownBy(() -> await(clock.draw(floor, call())))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessageContaining("passed the floor of the migration, in 60000 ms");
  }

  @Test
  void draw_serversHang_endsAtTheDeadline() {
    servers = List.of(CompletableFuture::new);
    assertThatThrownBy(() -> await(clock.draw(0, Call.within(Duration.ofMillis(20)))))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessageContaining("nothing was written");
  }

  /** Two processes 200 ms apart, whose versions are in order as if they were not. */
  @Test
  void drawNow_processesApart_isInOrderOfTheStoresTime() {
    StoreClock ahead = process(Duration.ofMillis(100));
    StoreClock behind = process(Duration.ofMillis(-100));
    servers = List.of(server(Duration.ZERO));
    await(ahead.measure());
    await(behind.measure());
    for (int i = 0; i < 5; i++) {
      long first = ahead.drawNow(0);
      pass(ahead.uncertainty().plus(behind.uncertainty()).plusNanos(1_000));
      long second = behind.drawNow(0);
      assertThat(second).isGreaterThan(first);
      pass(ahead.uncertainty().plus(behind.uncertainty()).plusNanos(1_000));
      assertThat(ahead.drawNow(0)).isGreaterThan(second);
    }
  }

  private StoreClock process(Duration offset) {
    return new StoreClock(
        new VersionClock(Clock.offset(new TestClock(), offset)),
        () -> CompletableFuture.completedFuture(servers),
        StoreClock.Listener.NONE,
        () -> monotonic.toNanos());
  }

  @Test
  void drawNow_measurementHalfItsAge_measuresAgainBeforeItIsNeeded() {
    await(clock.measure());
    pass(Duration.ofSeconds(14));
    assertThat(clock.drawNow(0)).isNotEqualTo(StoreClock.NOT_NOW);
    assertThat(asked).isEqualTo(3);
    pass(Duration.ofSeconds(2));
    assertThat(clock.drawNow(0)).isNotEqualTo(StoreClock.NOT_NOW);
    assertThat(asked).isEqualTo(6);
    assertThat(clock.drawNow(0)).isNotEqualTo(StoreClock.NOT_NOW);
    assertThat(asked).isEqualTo(6);
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
    pass(Duration.ofNanos(1_000));
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
