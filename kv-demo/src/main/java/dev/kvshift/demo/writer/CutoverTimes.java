package dev.kvshift.demo.writer;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The moment at which a collection was handed over, and the times at which writers could notice.
 *
 * @param stopped a moment at or before the last write of the old store
 * @param steps the times at which the runner changed what services do: the whole of a fenced
 *     cutover, or each step from phase to phase
 */
public record CutoverTimes(Instant stopped, List<Interval> steps) {
  /** Copies the list. */
  public CutoverTimes {
    steps = List.copyOf(steps);
  }

  /**
   * The time of a step.
   *
   * @param step the name of the step
   * @param from its beginning
   * @param until its end, which does not belong to it
   */
  public record Interval(String step, Instant from, Instant until) {
    /** Returns whether a write was in flight in this interval. */
    boolean overlaps(Instant sent, Instant ended) {
      return sent.isBefore(until) && !ended.isBefore(from);
    }
  }

  /** Returns the first step during which a write was in flight. */
  Optional<String> stepDuring(Instant sent, Instant ended) {
    return steps.stream()
        .filter(step -> step.overlaps(sent, ended))
        .map(Interval::step)
        .findFirst();
  }
}
