package dev.kvshift.memory;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A clock for tests of TTLs and leases: it shows the system's time, in UTC, until a test moves it
 * forward, and runs on from there. Safe for use by many threads.
 */
public final class MovableClock extends Clock {
  private final AtomicReference<Duration> ahead = new AtomicReference<>(Duration.ZERO);

  /** Creates a clock that shows the system's time. */
  public MovableClock() {}

  /**
   * Moves the clock forward.
   *
   * @throws IllegalArgumentException if the duration is negative
   */
  public void advance(Duration by) {
    if (by.isNegative()) {
      throw new IllegalArgumentException("a clock moved by " + by + ": give no negative duration");
    }
    ahead.updateAndGet(before -> before.plus(by));
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
    throw new UnsupportedOperationException("a movable clock is always in UTC");
  }
}
