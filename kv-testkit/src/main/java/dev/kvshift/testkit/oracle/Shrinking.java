package dev.kvshift.testkit.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Shrinks a failing list of operations by leaving out parts that the failure does not need. */
public final class Shrinking {
  private static final int MAX_RUNS = 2_000;

  private Shrinking() {}

  /** Returns a part of the list that still fails and needs each of its elements to do so. */
  public static <T> List<T> shrink(List<T> failing, Predicate<List<T>> fails) {
    List<T> shortest = failing;
    int runs = 0;
    int part = Math.max(1, failing.size() / 2);
    while (true) {
      boolean shrunk = false;
      for (int start = 0; start < shortest.size() && runs < MAX_RUNS; ) {
        List<T> candidate = new ArrayList<>(shortest.subList(0, start));
        candidate.addAll(
            shortest.subList(Math.min(start + part, shortest.size()), shortest.size()));
        runs++;
        if (fails.test(candidate)) {
          shortest = candidate;
          shrunk = true;
        } else {
          start += part;
        }
      }
      if (runs >= MAX_RUNS || (part == 1 && !shrunk)) {
        return shortest;
      }
      part = Math.max(1, part / 2);
    }
  }
}
