package dev.kvshift.migrate.internal.context;

import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/**
 * How far a store's clock is from the runner's.
 *
 * @param offset how far the store's clock is ahead at least; negative if it is behind, zero if it
 *     may be exact. The round trip counts as uncertainty, not as skew.
 * @param roundTrip the round trip of the measurement
 */
public record ClockSkew(Duration offset, Duration roundTrip) {
  /**
   * Returns the skew of a store that was asked at {@code sent} and answered by {@code received}.
   */
  public static ClockSkew of(Instant sent, Instant server, Instant received) {
    Duration offset = Duration.ZERO;
    if (server.isBefore(sent)) {
      offset = Duration.between(sent, server);
    } else if (server.isAfter(received)) {
      offset = Duration.between(received, server);
    }
    return new ClockSkew(offset, Duration.between(sent, received));
  }

  /** Returns whether the clock is within the skew limit, 250 ms either way. */
  public boolean isWithinLimit() {
    return offset.abs().compareTo(VersionClock.SKEW_LIMIT) <= 0;
  }

  /** Returns the skew for people, such as {@code 3,600,000 ms behind the runner's}. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%,d ms %s the runner's",
        offset.abs().toMillis(),
        offset.isNegative() ? "behind" : "ahead of");
  }
}
