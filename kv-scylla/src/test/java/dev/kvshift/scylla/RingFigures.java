package dev.kvshift.scylla;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The figures of a test on a ring, printed on standard error and as JSON to the folder of {@code
 * -Dkvshift.figures=FOLDER}.
 */
final class RingFigures {
  private RingFigures() {}

  static void report(String name, Map<String, ?> figures) {
    String json = json(figures);
    PrintStream out = System.err;
    out.println("ring " + name + ": " + json);
    String folder = System.getProperty("kvshift.figures", "");
    if (folder.isEmpty()) {
      return;
    }
    try {
      Files.createDirectories(Path.of(folder));
      Files.writeString(Path.of(folder, name + ".json"), json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String json(Object value) {
    if (value instanceof Map<?, ?> map) {
      return map.entrySet().stream()
          .map(entry -> "\"" + entry.getKey() + "\":" + json(entry.getValue()))
          .collect(Collectors.joining(",", "{", "}"));
    }
    return String.valueOf(value);
  }
}
