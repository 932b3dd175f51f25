package dev.kvshift.bench;

/**
 * What a figure should be.
 *
 * @param atLeast whether more is better
 * @param limit the worst value that is still good
 */
record Goal(boolean atLeast, double limit) {
  static Goal atLeast(double limit) {
    return new Goal(true, limit);
  }

  static Goal atMost(double limit) {
    return new Goal(false, limit);
  }

  boolean isMet(double value) {
    return atLeast ? value >= limit : value <= limit;
  }
}
