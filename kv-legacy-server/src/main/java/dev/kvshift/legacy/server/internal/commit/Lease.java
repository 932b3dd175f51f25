package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.spi.Gate;
import java.time.Duration;

/**
 * An instance's lease, measured by the monotonic clock of the leader, so that a wall clock that is
 * set neither ends nor extends it.
 *
 * @param acknowledged the epoch that the instance has acknowledged
 * @param endsNanos the end by the monotonic clock
 */
record Lease(long acknowledged, long endsNanos) {
  /** How much longer than the instance the leader counts on the lease. */
  private static final Duration MARGIN = Duration.ofSeconds(1);

  /** Returns a lease of full length that begins now. */
  static Lease from(long acknowledged, long nowNanos) {
    return new Lease(acknowledged, nowNanos + Gate.LEASE.toNanos());
  }

  /** Returns the time left, negative once the lease has ended. */
  Duration left(long nowNanos) {
    return Duration.ofNanos(endsNanos - nowNanos);
  }

  /** Returns whether the instance certainly no longer acts on its lease. */
  boolean isOver(long nowNanos) {
    return endsNanos + MARGIN.toNanos() - nowNanos <= 0;
  }
}
