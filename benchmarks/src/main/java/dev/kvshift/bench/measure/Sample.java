package dev.kvshift.bench.measure;

import java.util.Arrays;
import java.util.function.DoubleBinaryOperator;

/** The figures of one contender, one per round. Immutable. */
public final class Sample {
  private final double[] rounds;
  private final double[] sorted;

  public Sample(double[] rounds) {
    if (rounds.length == 0) {
      throw new IllegalArgumentException("a sample of no rounds: give at least one");
    }
    this.rounds = rounds.clone();
    this.sorted = rounds.clone();
    Arrays.sort(sorted);
  }

  private Sample combine(Sample other, DoubleBinaryOperator operator) {
    double[] made = new double[rounds.length];
    for (int i = 0; i < made.length; i++) {
      made[i] = operator.applyAsDouble(rounds[i], other.rounds[i]);
    }
    return new Sample(made);
  }

  /** Returns the ratio of this to the other, round by round. */
  public Sample over(Sample other) {
    return combine(other, (mine, theirs) -> mine / theirs);
  }

  /** Returns the difference from the other, round by round. */
  public Sample minus(Sample other) {
    return combine(other, (mine, theirs) -> mine - theirs);
  }

  /** Returns the sum of this and the other, round by round. */
  public Sample plus(Sample other) {
    return combine(other, Double::sum);
  }

  public double median() {
    return quantile(0.5);
  }

  public double quantile(double share) {
    double at = share * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }

  int size() {
    return rounds.length;
  }
}
