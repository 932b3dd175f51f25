package dev.kvshift.testkit;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicReference;

/** A clock that goes with the system's and can be moved forward. Safe for use by many threads. */
public final class TestClock extends Clock {
  private final AtomicReference<Duration> ahead = new AtomicReference<>(Duration.ZERO);

  /** Makes a clock that shows the system's time. */
  public TestClock() {}

  /** Moves the clock forward. */
  public void advance(Duration by) {
    ahead.updateAndGet(before -> before.plus(by));
  }

  /** Moves the clock forward until it is past the instant; leaves it where it is already. */
  public void advancePast(Instant instant) {
    Duration missing = Duration.between(instant(), instant).plusMillis(1);
    if (!missing.isNegative()) {
      advance(missing);
    }
  }

  @Override
  public Instant instant() {
    return Instant.now().plus(ahead.get());
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }

  @Override
  public Clock withZone(ZoneId zone) {
    throw new UnsupportedOperationException("a test clock shows UTC");
  }
}
