package dev.kvshift.demo.writer;

import java.time.Duration;

/**
 * The longest write that was in flight during a step of a cutover.
 *
 * @param took its duration
 * @param step the step
 */
public record LongestWrite(Duration took, String step) {
  /** No write was in flight. */
  public static final LongestWrite NONE = new LongestWrite(Duration.ZERO, "none");

  LongestWrite longer(LongestWrite other) {
    return took.compareTo(other.took) >= 0 ? this : other;
  }
}
