package dev.kvshift.testkit.meter;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The figures that a test measures, kept as {@code NAME.json} in the folder of {@code
 * -Dkvshift.figures=FOLDER}. Without a folder they are not kept.
 */
public final class Figures {
  private static final String FOLDER = System.getProperty("kvshift.figures", "");

  private Figures() {}

  /**
   * Keeps figures, and replaces those that were kept under the name before.
   *
   * @param figures numbers and maps of numbers, by name
   * @return the figures as JSON
   * @throws UncheckedIOException if the folder cannot be written
   */
  public static String keep(String name, Map<String, ?> figures) {
    String json = json(figures);
    if (!FOLDER.isEmpty()) {
      try {
        Files.createDirectories(Path.of(FOLDER));
        Files.writeString(Path.of(FOLDER, name + ".json"), json);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return json;
  }

  /**
   * Returns the most memory that a process has had in RAM, on Linux, in KiB.
   *
   * @param pid a process of this machine that runs
   */
  public static long peakKibibytes(long pid) {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(pid), "status")).stream()
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
          .findFirst()
          .orElseThrow();
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
