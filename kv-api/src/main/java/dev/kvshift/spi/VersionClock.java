package dev.kvshift.spi;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The clock that issues the versions of writes when no leader does: one per process, shared by its
 * stores.
 *
 * <p>A version is {@code max(now, last issued + 1, greatest seen + 1)} in microseconds since 1970,
 * where now is the time of the store that gets the write. A process that writes to several stores
 * draws from one clock, so the difference of these stores' clocks adds to their uncertainty. Safe
 * for use by many threads.
 */
public final class VersionClock {
  /**
   * The largest difference between two clocks, and the largest uncertainty of a measured one, at
   * which writes are still accepted: 250 ms.
   */
  public static final Duration SKEW_LIMIT = Duration.ofMillis(250);

  /** The lead over the clock up to which a seen version still moves this one: 1.25 s. */
  public static final Duration MAX_AHEAD = Duration.ofSeconds(1).plus(SKEW_LIMIT);

  private static final VersionClock PROCESS = new VersionClock(Clock.systemUTC());

  private final Clock clock;
  private final AtomicLong last = new AtomicLong();

  /** Creates a clock for tests; everything else shares {@link #ofProcess()}. */
  public VersionClock(Clock clock) {
    this.clock = clock;
  }

  /** Returns the clock of the process. */
  public static VersionClock ofProcess() {
    return PROCESS;
  }

  /**
   * Returns the instant as microseconds since 1970.
   *
   * @throws ArithmeticException if they exceed a {@code long}
   */
  public static long micros(Instant instant) {
    return Math.addExact(
        Math.multiplyExact(instant.getEpochSecond(), 1_000_000L), instant.getNano() / 1_000);
  }

  /** Returns this clock's time in microseconds since 1970. It is not a version. */
  public long nowMicros() {
    return micros(clock.instant());
  }

  /**
   * Issues a version above every one issued or seen before.
   *
   * @param nowMicros the time of the store that gets it: {@link StoreClock} knows it
   */
  public long next(long nowMicros) {
    return last.updateAndGet(previous -> Math.max(nowMicros, previous + 1));
  }

  /**
   * Records a version that a read has returned.
   *
   * @param version the version in microseconds since 1970
   * @return whether it was noted. A version more than {@link #MAX_AHEAD} ahead is not: it would
   *     drag every later version along, so the caller reports it
   */
  public boolean observe(long version) {
    if (version <= last.get()) {
      return true;
    }
    if (version - nowMicros() > TimeUnit.NANOSECONDS.toMicros(MAX_AHEAD.toNanos())) {
      return false;
    }
    last.accumulateAndGet(version, Math::max);
    return true;
  }

  /** Returns the greatest version issued or observed so far. */
  public long last() {
    return last.get();
  }
}
