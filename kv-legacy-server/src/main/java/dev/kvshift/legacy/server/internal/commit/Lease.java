package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.spi.Gate;
import java.time.Duration;

/**
 * An instance's lease, measured by both clocks of the leader. The instance counts on the earlier
 * end, the leader on the later one.
 *
 * @param acknowledged the epoch that the instance has acknowledged
 * @param endsNanos the end by the monotonic clock
 * @param endsMillis the end by the wall clock
 */
record Lease(long acknowledged, long endsNanos, long endsMillis) {
  private static final Duration MARGIN = Duration.ofSeconds(1);

  /** Returns a lease of full length that begins now. */
  static Lease from(long acknowledged, long nowMillis) {
    return new Lease(
        acknowledged, System.nanoTime() + Gate.LEASE.toNanos(), nowMillis + Gate.LEASE.toMillis());
  }

  /**
   * Returns whether the instance certainly no longer acts on its lease: both clocks have passed its
   * end by a margin of one second.
   */
  boolean isOver(long nowMillis) {
    return endsNanos + MARGIN.toNanos() - System.nanoTime() <= 0
        && endsMillis + MARGIN.toMillis() <= nowMillis;
  }
}
