package dev.kvshift.check.mutants;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The mutants that pitest makes of the classes which carry the protocol and need no server. Each
 * module names these classes and their tests in its pom.
 *
 * @param mutants how many were made
 * @param killed how many made a test fail, or run without an end
 * @param left the others: class, method, line and mutator, a line each
 */
public record PureMutants(int mutants, int killed, List<String> left) {
  /** The least share of mutants that the tests must kill. */
  private static final double STRENGTH = 0.9;

  private static final List<String> MODULES = List.of("kv-api", "kv-migrate", "kv-transition");

  /** A line of pitest's report: file, class, mutator, method, line, status, test. */
  private static final int CLASS = 1;

  private static final int MUTATOR = 2;
  private static final int METHOD = 3;
  private static final int LINE = 4;
  private static final int STATUS = 5;
  private static final List<String> KILLED = List.of("KILLED", "TIMED_OUT", "MEMORY_ERROR");

  public PureMutants {
    left = List.copyOf(left);
  }

  /** Returns the Maven arguments that make the mutants and run the tests. */
  public static List<String> mavenArguments() {
    return List.of(
        "-q",
        "-pl",
        String.join(",", MODULES),
        "-am",
        "-Dspotless.check.skip=true",
        "test-compile",
        "org.pitest:pitest-maven:mutationCoverage");
  }

  /** Reads what pitest has reported of all modules. */
  public static PureMutants read(Path root) throws IOException {
    List<String> lines = new ArrayList<>();
    for (String module : MODULES) {
      Path report = root.resolve(module).resolve("target/pit-reports/mutations.csv");
      lines.addAll(Files.readAllLines(report, StandardCharsets.UTF_8));
    }
    return of(lines);
  }

  static PureMutants of(List<String> lines) {
    List<String> left =
        lines.stream()
            .map(line -> line.split(",", -1))
            .filter(cells -> !KILLED.contains(cells[STATUS]))
            .map(PureMutants::describe)
            .toList();
    return new PureMutants(lines.size(), lines.size() - left.size(), left);
  }

  private static String describe(String[] cells) {
    String mutator = cells[MUTATOR].substring(cells[MUTATOR].lastIndexOf('.') + 1);
    return String.join(
        " ", cells[STATUS], cells[CLASS], cells[METHOD], "line " + cells[LINE], mutator);
  }

  /** Returns the share of mutants that were killed; 0 if none were made. */
  public double strength() {
    return mutants == 0 ? 0 : (double) killed / mutants;
  }

  /** Returns whether the tests are strong enough. */
  public boolean isEnough() {
    return strength() >= STRENGTH;
  }
}
