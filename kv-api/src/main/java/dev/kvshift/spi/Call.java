package dev.kvshift.spi;

import java.time.Duration;

/**
 * What every request carries: its deadline and, where there is a gate, the epoch under which its
 * operation began. Immutable.
 *
 * @param deadlineNanos the moment, on the scale of {@link System#nanoTime()}, from which on the
 *     caller has no use for an answer
 * @param epoch the caller's epoch; 0 for a caller that knows of none
 */
public record Call(long deadlineNanos, long epoch) {
  /** Returns a call that may take so long from now on, without an epoch. */
  public static Call within(Duration timeout) {
    return new Call(System.nanoTime() + timeout.toNanos(), 0);
  }

  /** Returns the same call under an epoch. */
  public Call withEpoch(long newEpoch) {
    return new Call(deadlineNanos, newEpoch);
  }

  /** Returns the time left until the deadline, negative once it has passed. */
  public Duration remaining() {
    return Duration.ofNanos(deadlineNanos - System.nanoTime());
  }

  /** Returns whether the deadline has passed. */
  public boolean isExpired() {
    return deadlineNanos - System.nanoTime() <= 0;
  }
}
