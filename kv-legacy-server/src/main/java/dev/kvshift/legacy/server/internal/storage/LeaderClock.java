package dev.kvshift.legacy.server.internal.storage;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/**
 * The time of the store: the wall clock, as long as the monotonic clock confirms it. Safe for use
 * by many threads.
 *
 * <p>Versions only rise. A wall clock that is eight days ahead for a minute would make the store
 * draw versions that no other clock reaches for eight days, drop changes that consumers still need,
 * purge tombstones, and grant locks that are held. So a wall clock that has stepped ahead by more
 * than {@link #MAX_STEP} is not followed: {@link #instant()} continues by the monotonic clock, and
 * {@link Time#lead()} reports the step. The store then draws, trims and purges nothing until the
 * two clocks agree again, or a person restarts the server and so confirms the new time.
 *
 * <p>A wall clock that was set back is followed, since that does no harm: the versions already
 * drawn keep the store from drawing lower ones.
 *
 * <p>Wall clocks are slewed, so the confirmed time is renewed every {@link #RENEWED_EVERY}.
 */
public final class LeaderClock extends Clock {
  /**
   * The largest step ahead that is followed. Versions may be ahead of the clock by as much, so a
   * smaller step breaks no promise.
   */
  public static final Duration MAX_STEP = Duration.ofSeconds(1);

  static final Duration RENEWED_EVERY = Duration.ofMinutes(1);

  private final TimeSource source;
  private volatile TimeSource.Reading confirmed;

  /** Creates a clock that takes the wall clock of this moment as right. */
  public LeaderClock(TimeSource source) {
    this.source = source;
    this.confirmed = source.read();
  }

  /**
   * The time of the store.
   *
   * @param now the time
   * @param lead how far the wall clock has stepped ahead of it; zero if it is confirmed
   */
  public record Time(Instant now, Duration lead) {
    public boolean isConfirmed() {
      return lead.isZero();
    }
  }

  /** Reads the time and whether the wall clock is confirmed. */
  public Time read() {
    TimeSource.Reading reading = source.read();
    TimeSource.Reading last = confirmed;
    long elapsedNanos = reading.nanos() - last.nanos();
    Instant expected = last.wall().plusNanos(elapsedNanos);
    Duration step = Duration.between(expected, reading.wall());
    if (step.compareTo(MAX_STEP) > 0) {
      return new Time(expected, step);
    }
    if (elapsedNanos >= RENEWED_EVERY.toNanos() && step.negated().compareTo(MAX_STEP) <= 0) {
      confirmed = reading;
    }
    return new Time(reading.wall(), Duration.ZERO);
  }

  @Override
  public Instant instant() {
    return read().now();
  }

  /** Reads the monotonic clock. */
  public long nanos() {
    return source.read().nanos();
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }

  @Override
  public Clock withZone(ZoneId zone) {
    throw new UnsupportedOperationException("the time of the store is UTC");
  }
}
