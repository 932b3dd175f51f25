package dev.kvshift.testkit.clause;

import dev.kvshift.testkit.fixture.StoreFixture;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;

/** Counts the outcomes of each clause's cases on one fixture. Safe for use by many threads. */
final class ClauseCounts {
  /** The outcome of a case. */
  enum Ending {
    /** The store declares the capability, and the test passed. */
    TESTED,
    /** The store does not declare the capability and refused it, as it must. */
    REFUSED,
    /** The case failed. */
    FAILED,
    /** The case was skipped, which must not happen. */
    SKIPPED
  }

  private static final String FOLDER_PROPERTY = "kvshift.contract";

  private final Map<String, Map<Ending, Integer>> clauses = new TreeMap<>();

  synchronized void add(Class<?> testClass, Ending ending) {
    clauses
        .computeIfAbsent(clause(testClass), added -> new EnumMap<>(Ending.class))
        .merge(ending, 1, Integer::sum);
  }

  /** Writes the counts if the run asks for them with {@code -Dkvshift.contract=FOLDER}. */
  synchronized void write(Class<? extends StoreFixture> fixture) {
    String folder = System.getProperty(FOLDER_PROPERTY);
    if (folder == null) {
      return;
    }
    try {
      Files.createDirectories(Path.of(folder));
      Files.writeString(Path.of(folder, fixture.getName() + ".json"), json(fixture));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String json(Class<? extends StoreFixture> fixture) {
    StringJoiner rows = new StringJoiner(",\n    ", "{\n    ", "\n  }");
    clauses.forEach(
        (clause, counts) -> {
          StringJoiner row = new StringJoiner(", ", "{", "}");
          for (Ending ending : Ending.values()) {
            row.add(
                quoted(ending.name().toLowerCase(Locale.ROOT))
                    + ": "
                    + counts.getOrDefault(ending, 0));
          }
          rows.add(quoted(clause) + ": " + row);
        });
    return "{\n  \"fixture\": " + quoted(fixture.getName()) + ",\n  \"clauses\": " + rows + "\n}\n";
  }

  private static String clause(Class<?> testClass) {
    Class<?> type = testClass;
    while (type.getSuperclass() != Clause.class) {
      type = type.getSuperclass();
    }
    return type.getSimpleName().replaceFirst("Clause$", "");
  }

  private static String quoted(String text) {
    return '"' + text + '"';
  }
}
