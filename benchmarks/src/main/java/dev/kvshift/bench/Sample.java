package dev.kvshift.bench;

import java.util.Arrays;
import java.util.function.DoubleBinaryOperator;

/** What one contender measured, a number for each round. Not changed once made. */
final class Sample {
  private final double[] rounds;
  private final double[] sorted;

  Sample(double[] rounds) {
    if (rounds.length == 0) {
      throw new IllegalArgumentException("a sample of no rounds: give at least one");
    }
    this.rounds = rounds.clone();
    this.sorted = rounds.clone();
    Arrays.sort(sorted);
  }

  /** Returns what the operator makes of both, round by round. */
  Sample with(Sample other, DoubleBinaryOperator operator) {
    double[] made = new double[rounds.length];
    for (int i = 0; i < made.length; i++) {
      made[i] = operator.applyAsDouble(rounds[i], other.rounds[i]);
    }
    return new Sample(made);
  }

  /** Returns this over the other, round by round. */
  Sample over(Sample other) {
    return with(other, (mine, theirs) -> mine / theirs);
  }

  /** Returns this less the other, round by round. */
  Sample minus(Sample other) {
    return with(other, (mine, theirs) -> mine - theirs);
  }

  double median() {
    return quantile(0.5);
  }

  double quantile(double share) {
    double at = share * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }

  int size() {
    return rounds.length;
  }
}
