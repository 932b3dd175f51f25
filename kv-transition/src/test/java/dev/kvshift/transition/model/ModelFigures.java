package dev.kvshift.transition.model;

import dev.kvshift.testkit.meter.Figures;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The figures of all models of one run, kept in {@code model.json} in the folder of {@code
 * -Dkvshift.figures=FOLDER}.
 */
final class ModelFigures {
  private static final Map<String, Long> FIGURES = new LinkedHashMap<>();

  static {
    for (String name : new String[] {"states", "violations", "rulesOff", "rulesFound"}) {
      FIGURES.put(name, 0L);
    }
  }

  private ModelFigures() {}

  /** Counts a walk with every rule on. */
  static void ruled(Explorer.Result result) {
    add("states", result.states());
    add("violations", result.violation().isPresent() ? 1 : 0);
    Figures.keep("model", FIGURES);
  }

  /** Counts a walk with one rule off. */
  static void unruled(Explorer.Result result) {
    add("rulesOff", 1);
    add("rulesFound", result.violation().isPresent() ? 1 : 0);
    Figures.keep("model", FIGURES);
  }

  private static void add(String name, long count) {
    FIGURES.merge(name, count, Long::sum);
  }
}
