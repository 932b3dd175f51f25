package dev.kvshift.spi;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The difference between a store's clock and this process's, as one measurement found it. The store
 * read its clock at some moment of the round trip, so half the round trip is the uncertainty of the
 * offset. Immutable.
 */
public final class ClockSkew {
  private final Duration offset;
  private final Duration uncertainty;

  private ClockSkew(Duration offset, Duration uncertainty) {
    this.offset = offset;
    this.uncertainty = uncertainty;
  }

  /**
   * Returns the skew of an offset.
   *
   * @param offset how far the store's clock is ahead; negative if it is behind
   * @param uncertainty how far the offset may be wrong either way; not negative
   */
  public static ClockSkew of(Duration offset, Duration uncertainty) {
    return new ClockSkew(offset, uncertainty);
  }

  /**
   * Returns the skew of a store that was asked at {@code sent} and answered by {@code received},
   * both by this process's clock.
   */
  public static ClockSkew of(Instant sent, Instant server, Instant received) {
    Duration half = Duration.between(sent, received).dividedBy(2);
    return new ClockSkew(Duration.between(sent.plus(half), server), half);
  }

  /** Returns how far the store's clock is probably ahead; negative if it is behind. */
  public Duration offset() {
    return offset;
  }

  /** Returns how far {@link #offset} may be wrong either way. */
  public Duration uncertainty() {
    return uncertainty;
  }

  /** Returns how far the store's clock is certainly ahead; negative if it is certainly behind. */
  public Duration atLeast() {
    Duration certain = offset.abs().minus(uncertainty);
    if (certain.isNegative()) {
      return Duration.ZERO;
    }
    return offset.isNegative() ? certain.negated() : certain;
  }

  /**
   * Returns whether the clocks may be within {@link VersionClock#SKEW_LIMIT} of each other. A clock
   * is called wrong only if it certainly is.
   */
  public boolean isWithinLimit() {
    return atLeast().abs().compareTo(VersionClock.SKEW_LIMIT) <= 0;
  }

  /**
   * Returns how long ago, by this process's clock, an entry must have expired before it may be
   * treated as dead: the skew limit, beyond every time that the store's clock may show.
   */
  public Duration expiryMargin() {
    return offset.abs().plus(uncertainty).plus(VersionClock.SKEW_LIMIT);
  }

  /**
   * Returns the certain skew for people, such as {@code 3,600,000 ms behind the runner's}.
   *
   * @param other whose clock it is compared with
   */
  public String against(String other) {
    Duration certain = atLeast();
    return String.format(
        Locale.ROOT,
        "%,d ms %s %s",
        certain.abs().toMillis(),
        certain.isNegative() ? "behind" : "ahead of",
        other);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ClockSkew that
        && offset.equals(that.offset)
        && uncertainty.equals(that.uncertainty);
  }

  @Override
  public int hashCode() {
    return Objects.hash(offset, uncertainty);
  }

  /** Returns the certain skew, such as {@code 3 ms behind this process's}. */
  @Override
  public String toString() {
    return against("this process's");
  }
}
