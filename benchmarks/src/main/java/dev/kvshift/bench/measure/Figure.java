package dev.kvshift.bench.measure;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One figure of a report: the median of the rounds, and their quartiles.
 *
 * @param unit what it counts; {@code x} for ratios
 * @param low the lower quartile
 * @param high the upper quartile
 * @param rounds how many rounds were measured
 * @param goal null for a figure that has none
 */
record Figure(
    String name,
    double value,
    String unit,
    double low,
    double high,
    int rounds,
    @Nullable Goal goal) {
  private static final double LOW = 0.25;
  private static final double HIGH = 0.75;

  static Figure of(String name, Sample sample, String unit, @Nullable Goal goal) {
    return new Figure(
        name,
        sample.median(),
        unit,
        sample.quantile(LOW),
        sample.quantile(HIGH),
        sample.size(),
        goal);
  }

  boolean isMet() {
    return goal == null || goal.isMet(value);
  }

  /** Returns the figure as a line for people, its name padded to a width. */
  String line(int width) {
    StringBuilder line = new StringBuilder();
    line.append(String.format(Locale.ROOT, "%-" + Math.max(1, width) + "s", name));
    line.append(String.format(Locale.ROOT, " %14s %-7s", number(value), unit));
    line.append(" (" + number(low) + " to " + number(high) + ", " + rounds);
    line.append(rounds == 1 ? " round)" : " rounds)");
    if (goal != null) {
      line.append(goal.bound() == Goal.Bound.AT_LEAST ? "  goal >= " : "  goal <= ");
      line.append(number(goal.limit())).append(isMet() ? "  met" : "  NOT MET");
    }
    return line.toString();
  }

  /** Returns the figure as a row of a Markdown table: name, median, quartiles, goal, verdict. */
  String row() {
    String shownGoal = "";
    String verdict = "";
    if (goal != null) {
      String sign = goal.bound() == Goal.Bound.AT_LEAST ? "≥ " : "≤ ";
      shownGoal = sign + number(goal.limit());
      verdict = isMet() ? "met" : "**not met**";
    }
    return String.format(
        "| %s | %s %s | %s to %s | %s | %s |",
        name, number(value), unit, number(low), number(high), shownGoal, verdict);
  }

  private static String number(double value) {
    if (Math.abs(value) >= 1_000) {
      return String.format(Locale.ROOT, "%,.0f", value);
    }
    return String.format(Locale.ROOT, Math.abs(value) >= 20 ? "%.1f" : "%.3f", value);
  }
}
