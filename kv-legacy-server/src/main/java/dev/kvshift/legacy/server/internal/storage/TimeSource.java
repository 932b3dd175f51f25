package dev.kvshift.legacy.server.internal.storage;

import java.time.Instant;
import java.util.concurrent.TimeUnit;

/** The two clocks of a machine: the wall clock, which can be set, and the monotonic one. */
public interface TimeSource {
  /** The clocks of this machine. */
  TimeSource SYSTEM = TimeSource::system;

  /**
   * Both clocks at one moment.
   *
   * @param wall the wall clock
   * @param nanos the monotonic clock, on a scale of its own
   */
  record Reading(Instant wall, long nanos) {}

  /** Reads both clocks. */
  Reading read();

  /** Reads again if the thread was paused between the two clocks, which would look like a step. */
  private static Reading system() {
    int attempts = 10;
    while (true) {
      long before = System.nanoTime();
      Instant wall = Instant.now();
      long after = System.nanoTime();
      if (after - before < TimeUnit.MILLISECONDS.toNanos(1) || --attempts == 0) {
        return new Reading(wall, after);
      }
    }
  }
}
