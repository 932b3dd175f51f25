package dev.kvshift.spi;

import java.time.Duration;

/**
 * The context that every request carries: its deadline and, for stores with a gate, the epoch in
 * which its operation began. Immutable.
 */
public final class Call {
  /** The epoch of a read that no gate refuses: above every epoch that a service can have. */
  static final long UNGATED = Long.MAX_VALUE;

  private final long deadlineNanos;
  private final long epoch;

  private Call(long deadlineNanos, long epoch) {
    this.deadlineNanos = deadlineNanos;
    this.epoch = epoch;
  }

  /** Returns a call that ends after a time-out from now, without an epoch. */
  public static Call within(Duration timeout) {
    return until(System.nanoTime() + timeout.toNanos());
  }

  /**
   * Returns a call with a deadline, without an epoch.
   *
   * @param deadlineNanos the deadline on the scale of {@link System#nanoTime()}
   */
  public static Call until(long deadlineNanos) {
    return new Call(deadlineNanos, 0);
  }

  /**
   * Returns the same call in another epoch.
   *
   * @param newEpoch the caller's epoch; 0 for a caller that knows of none
   */
  public Call withEpoch(long newEpoch) {
    return new Call(deadlineNanos, newEpoch);
  }

  /**
   * Returns the same call for a read that no gate refuses, even sealed or handed over. For the
   * runner, which compares and repairs from what the old store holds. Writes of such a call are
   * gated as usual.
   */
  public Call ungated() {
    return withEpoch(UNGATED);
  }

  /** Returns whether no gate refuses a read of this call. */
  public boolean isUngated() {
    return epoch == UNGATED;
  }

  /**
   * Returns the deadline on the scale of {@link System#nanoTime()}. The caller has no use for an
   * answer after it.
   */
  public long deadlineNanos() {
    return deadlineNanos;
  }

  /** Returns the caller's epoch; 0 for a caller that knows of none. */
  public long epoch() {
    return epoch;
  }

  /** Returns the time left until the deadline, negative once it has passed. */
  public Duration remaining() {
    return Duration.ofNanos(deadlineNanos - System.nanoTime());
  }

  /** Returns whether the deadline has passed. */
  public boolean isExpired() {
    return deadlineNanos - System.nanoTime() <= 0;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Call that && deadlineNanos == that.deadlineNanos && epoch == that.epoch;
  }

  @Override
  public int hashCode() {
    return 31 * Long.hashCode(deadlineNanos) + Long.hashCode(epoch);
  }

  @Override
  public String toString() {
    return "Call[deadlineNanos=" + deadlineNanos + ", epoch=" + epoch + "]";
  }
}
