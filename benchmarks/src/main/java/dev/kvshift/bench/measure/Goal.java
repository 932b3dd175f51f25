package dev.kvshift.bench.measure;

/**
 * The worst value of a figure that is still good.
 *
 * @param bound the side on which values are good
 */
public record Goal(Bound bound, double limit) {
  /** The side of the limit on which values are good. */
  enum Bound {
    AT_LEAST,
    AT_MOST
  }

  /** Returns a goal for a figure of which more is better. */
  public static Goal atLeast(double limit) {
    return new Goal(Bound.AT_LEAST, limit);
  }

  /** Returns a goal for a figure of which less is better. */
  public static Goal atMost(double limit) {
    return new Goal(Bound.AT_MOST, limit);
  }

  boolean isMet(double value) {
    return switch (bound) {
      case AT_LEAST -> value >= limit;
      case AT_MOST -> value <= limit;
    };
  }
}
