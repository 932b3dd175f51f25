package dev.kvshift.transition.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The figures of all models of one run, kept in {@code model.json} in the folder of {@code
 * -Dkvshift.figures=FOLDER}.
 */
final class ModelFigures {
  private static final String FOLDER = System.getProperty("kvshift.figures", "");
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
    write();
  }

  /** Counts a walk with one rule off. */
  static void unruled(Explorer.Result result) {
    add("rulesOff", 1);
    add("rulesFound", result.violation().isPresent() ? 1 : 0);
    write();
  }

  private static void add(String name, long count) {
    FIGURES.merge(name, count, Long::sum);
  }

  private static void write() {
    if (FOLDER.isEmpty()) {
      return;
    }
    StringBuilder json = new StringBuilder("{");
    FIGURES.forEach(
        (name, count) ->
            json.append(json.length() > 1 ? "," : "").append("\"" + name + "\":" + count));
    try {
      Files.createDirectories(Path.of(FOLDER));
      Files.writeString(Path.of(FOLDER, "model.json"), json.append("}"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
