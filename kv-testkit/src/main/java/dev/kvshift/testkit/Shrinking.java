package dev.kvshift.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Finds a short list of operations that still fails, by leaving parts out. */
final class Shrinking {
  private static final int MAX_RUNS = 2_000;

  private Shrinking() {}

  /** Returns a part of the list that fails, from which no single element can be left out. */
  static <T> List<T> shrink(List<T> failing, Predicate<List<T>> fails) {
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
