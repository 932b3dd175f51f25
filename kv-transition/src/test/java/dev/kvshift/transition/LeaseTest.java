package dev.kvshift.transition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.spi.Gate;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class LeaseTest {
  private final AtomicLong nanos = new AtomicLong(1L << 50);
  private final AtomicLong wall = new AtomicLong(1L << 40);
  private final Lease lease = new Lease(nanos::get, wall::get, now());

  private Lease.Moment now() {
    return new Lease.Moment(nanos.get(), wall.get());
  }

  @Test
  void holds_bothClocksBeforeItsEnd_andNotAfter() {
    pass(Gate.LEASE.minusMillis(1));
    assertThat(lease.holds()).isTrue();
    pass(Duration.ofMillis(1));
    assertThat(lease.holds()).isFalse();
  }

  @Test
  void holds_machineSuspended_not() {
    wall.addAndGet(Gate.LEASE.toMillis());
    assertThat(lease.holds()).isFalse();
  }

  @Test
  void holds_wallClockSetBack_notWhenTheMonotonicOneHasPassed() {
    nanos.addAndGet(Gate.LEASE.toNanos());
    assertThat(lease.holds()).isFalse();
  }

  @Test
  void renew_countsFromTheSendingOfTheReport() {
    Lease.Moment sent = now();
    pass(Duration.ofSeconds(2));
    lease.renew(sent);
    pass(Gate.LEASE.minusSeconds(3));
    assertThat(lease.holds()).isTrue();
    pass(Duration.ofSeconds(1));
    assertThat(lease.holds()).isFalse();
  }

  @Test
  void nextReport_failedOrNot_ends() {
    var failed = lease.nextReport().toCompletableFuture();
    lease.notRenewed();
    assertThat(failed).isDone();
    assertThat(lease.holds()).isTrue();
    var renewed = lease.nextReport().toCompletableFuture();
    assertThat(renewed).isNotDone();
    lease.renew(now());
    assertThat(renewed).isDone();
  }

  private void pass(Duration time) {
    nanos.addAndGet(time.toNanos());
    wall.addAndGet(time.toMillis());
  }
}
