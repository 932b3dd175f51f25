package dev.kvshift.migrate.internal.context;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Ticker;
import dev.kvshift.migrate.api.ScanRate;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The rate of scans while the stores answer in time, slowly, or not at all. */
final class ScanThrottleTest {
  private static final Duration LIMIT = Duration.ofMillis(50);
  private static final Duration IN_TIME = LIMIT;
  private static final Duration LATE = LIMIT.plusNanos(1);

  private long nanos;
  private final Ticker ticker =
      new Ticker() {
        @Override
        public long read() {
          return nanos;
        }
      };

  @Test
  void timed_storesAnswerInTime_keepsTheRate() {
    ScanThrottle throttle = throttle(ScanRate.rowsPerSecond(10_000));
    for (int second = 0; second < 5; second++) {
      second(throttle, 5_000, 10, IN_TIME);
    }
    assertThat(throttle.rowsPerSecond()).hasValue(10_000);
  }

  @Test
  void timed_halfOfTheAnswersAreLate_halvesTheRateEachSecond() {
    ScanThrottle throttle = throttle(ScanRate.rowsPerSecond(10_000));
    answers(throttle, 9, LATE);
    second(throttle, 4_000, 10, IN_TIME);
    assertThat(throttle.rowsPerSecond()).as("9 of 19").hasValue(10_000);

    answers(throttle, 10, LATE);
    second(throttle, 4_000, 10, IN_TIME);
    assertThat(throttle.rowsPerSecond()).as("half of what was read").hasValue(2_000);
    second(throttle, 2_000, 10, LATE);
    assertThat(throttle.rowsPerSecond()).hasValue(1_000);
    for (int i = 0; i < 9; i++) {
      second(throttle, 100, 10, LATE);
    }
    assertThat(throttle.rowsPerSecond()).as("the least").hasValue(100);
    assertThat(throttle.page().entries()).isEqualTo(100);
  }

  @Test
  void timed_inTimeAgain_growsToTheGivenRate() {
    ScanThrottle throttle = throttle(ScanRate.rowsPerSecond(4_000));
    second(throttle, 4_000, 10, LATE);
    assertThat(throttle.rowsPerSecond()).hasValue(2_000);

    second(throttle, 2_000, 10, IN_TIME);
    assertThat(throttle.rowsPerSecond()).as("and a twentieth of before").hasValue(2_200);
    for (int i = 0; i < 8; i++) {
      second(throttle, 2_000, 10, IN_TIME);
    }
    assertThat(throttle.rowsPerSecond()).hasValue(3_800);
    second(throttle, 2_000, 10, IN_TIME);
    assertThat(throttle.rowsPerSecond()).hasValue(4_000);
  }

  @Test
  void timed_unlimitedRate_isHeldUntilTwiceAsFast() {
    ScanThrottle throttle = throttle(ScanRate.unlimited());
    second(throttle, 8_000, 10, LATE);
    assertThat(throttle.rowsPerSecond()).hasValue(4_000);
    for (int i = 0; i < 29; i++) {
      second(throttle, 4_000, 10, IN_TIME);
    }
    assertThat(throttle.rowsPerSecond()).hasValue(15_600);
    second(throttle, 4_000, 10, IN_TIME);
    assertThat(throttle.rowsPerSecond()).isEmpty();
  }

  @Test
  void timed_failures_countAsLate() {
    ScanThrottle throttle = throttle(ScanRate.rowsPerSecond(1_000));
    throttle.note(1_000);
    nanos += Duration.ofSeconds(1).toNanos();
    CompletableFuture<Object> failed =
        CompletableFuture.failedFuture(new IllegalStateException("overloaded"));
    assertThat(throttle.timed(() -> failed)).isCompletedExceptionally();
    assertThat(throttle.rowsPerSecond()).hasValue(500);
  }

  @Test
  void set_whileHeld_isTheMaximum() {
    ScanThrottle throttle = throttle(ScanRate.unlimited());
    second(throttle, 8_000, 10, LATE);

    throttle.set(ScanRate.rowsPerSecond(300));
    assertThat(throttle.rowsPerSecond()).hasValue(300);
    throttle.set(ScanRate.unlimited());
    assertThat(throttle.rowsPerSecond()).hasValue(4_000);
  }

  @Test
  void timed_withoutALimit_neverHoldsBack() {
    ScanThrottle throttle = new ScanThrottle(ScanRate.unlimited(), 2_000, null, ticker);
    second(throttle, 8_000, 10, Duration.ofSeconds(9));
    assertThat(throttle.rowsPerSecond()).isEqualTo(OptionalInt.empty());
  }

  private ScanThrottle throttle(ScanRate rate) {
    return new ScanThrottle(rate, 2_000, LIMIT, ticker);
  }

  /** Lets a second pass in which rows were read and so many requests took that long. */
  private void second(ScanThrottle throttle, int rows, int requests, Duration each) {
    throttle.note(rows);
    answers(throttle, requests - 1, each);
    CompletableFuture<String> last = new CompletableFuture<>();
    nanos += Duration.ofSeconds(1).minus(each).toNanos();
    throttle.timed(() -> last);
    nanos += each.toNanos();
    last.complete("");
  }

  private void answers(ScanThrottle throttle, int requests, Duration each) {
    long now = nanos;
    for (int i = 0; i < requests; i++) {
      nanos = now;
      CompletableFuture<String> answer = new CompletableFuture<>();
      throttle.timed(() -> answer);
      nanos += each.toNanos();
      answer.complete("");
    }
    nanos = now;
  }
}
