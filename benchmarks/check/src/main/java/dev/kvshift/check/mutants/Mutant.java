package dev.kvshift.check.mutants;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A rule, and the source with that rule broken. A file {@code MODULE/src/test/mutants/NAME.patch}:
 *
 * <pre>
 * Rule: the progress of a reader is the least watermark of its partitions
 * Test: TopicProgressTest
 * --- a/kv-migrate/src/main/java/dev/kvshift/migrate/internal/apply/TopicProgress.java
 * +++ b/kv-migrate/src/main/java/dev/kvshift/migrate/internal/apply/TopicProgress.java
 * &#64;&#64;
 * -    return Arrays.stream(watermarks).min().orElseThrow();
 * +    return Arrays.stream(watermarks).max().orElseThrow();
 * </pre>
 *
 * <p>The patch is a unified diff of one file without line numbers: the lines of each hunk that are
 * not added must occur exactly once in the source, so a mutant survives every change but one of
 * these lines, and then cannot be applied.
 *
 * @param name the file's name without its suffix
 * @param module the folder of the module whose test must fail
 * @param rule the rule that is broken
 * @param test simple name of the test class that must fail, or {@code CLASS#METHOD}
 * @param source the file that is changed, from the root of the checkout
 * @param hunks the changes
 */
record Mutant(
    String name, String module, String rule, String test, String source, List<Hunk> hunks) {
  private static final String FOLDER = "src/test/mutants";
  private static final String SUFFIX = ".patch";
  private static final String RULE = "Rule: ";
  private static final String TEST = "Test: ";
  private static final String OLD = "--- a/";
  private static final String NEW = "+++ b/";
  private static final String HUNK = "@@";
  private static final int MAX_DEPTH = 6;

  /**
   * A change.
   *
   * @param before the lines as they are in the source
   * @param after the lines that replace them
   */
  record Hunk(String before, String after) {}

  /** Reads all mutants of a checkout, ordered by module and name. */
  static List<Mutant> readAll(Path root) throws IOException {
    List<Path> files;
    try (Stream<Path> found =
        Files.find(
            root,
            MAX_DEPTH,
            (file, attributes) ->
                file.getParent().endsWith(FOLDER) && file.toString().endsWith(SUFFIX))) {
      files = found.filter(file -> !file.startsWith(root.resolve("target"))).sorted().toList();
    }
    List<Mutant> mutants = new ArrayList<>();
    for (Path file : files) {
      String module =
          root.relativize(file.getParent().getParent().getParent().getParent()).toString();
      String name = file.getFileName().toString();
      mutants.add(
          parse(
              name.substring(0, name.length() - SUFFIX.length()),
              module,
              Files.readAllLines(file)));
    }
    return mutants;
  }

  /**
   * Parses the lines of a file.
   *
   * @throws IllegalArgumentException if one has none of the forms above
   */
  static Mutant parse(String name, String module, List<String> lines) {
    String rule = "";
    String test = "";
    String source = "";
    List<Hunk> hunks = new ArrayList<>();
    StringBuilder before = new StringBuilder();
    StringBuilder after = new StringBuilder();
    boolean isHunk = false;
    for (String line : lines) {
      if (line.startsWith(HUNK)) {
        add(hunks, before, after);
        isHunk = true;
      } else if (isHunk) {
        if (line.isEmpty() || " -+".indexOf(line.charAt(0)) < 0) {
          throw new IllegalArgumentException(
              name + ": a line of a hunk begins with ' ', '-' or '+', not '" + line + "'");
        }
        String text = line.substring(1) + "\n";
        if (line.charAt(0) != '+') {
          before.append(text);
        }
        if (line.charAt(0) != '-') {
          after.append(text);
        }
      } else if (line.startsWith(RULE)) {
        rule = line.substring(RULE.length());
      } else if (line.startsWith(TEST)) {
        test = line.substring(TEST.length());
      } else if (line.startsWith(OLD)) {
        source = line.substring(OLD.length());
      } else if (!line.startsWith(NEW)) {
        throw new IllegalArgumentException(name + ": no line may begin like '" + line + "'");
      }
    }
    add(hunks, before, after);
    if (rule.isEmpty() || test.isEmpty() || source.isEmpty() || hunks.isEmpty()) {
      throw new IllegalArgumentException(
          name + ": a mutant has a line each of 'Rule: ', 'Test: ' and '--- a/', and a hunk");
    }
    return new Mutant(name, module, rule, test, source, List.copyOf(hunks));
  }

  private static void add(List<Hunk> hunks, StringBuilder before, StringBuilder after) {
    if (before.length() + after.length() > 0) {
      hunks.add(new Hunk(before.toString(), after.toString()));
      before.setLength(0);
      after.setLength(0);
    }
  }

  /**
   * Returns the source with the rule broken.
   *
   * @throws IllegalArgumentException if the lines of a hunk do not occur exactly once
   */
  String applyTo(String text) {
    String mutated = text;
    for (Hunk hunk : hunks) {
      int at = ("\n" + mutated).indexOf("\n" + hunk.before);
      if (at < 0 || ("\n" + mutated).indexOf("\n" + hunk.before, at + 1) >= 0) {
        throw new IllegalArgumentException(
            name
                + " cannot be applied: "
                + (at < 0 ? "no lines" : "several places")
                + " in "
                + source
                + " match:\n"
                + hunk.before);
      }
      mutated =
          mutated.substring(0, at) + hunk.after + mutated.substring(at + hunk.before.length());
    }
    return mutated;
  }

  /** Returns whether a constant changes, which other classes may have copied. */
  boolean changesConstant() {
    return hunks.stream().anyMatch(hunk -> (hunk.before + hunk.after).contains("static final"));
  }

  /** Returns the folder of the module whose source is changed. */
  String sourceModule() {
    return source.substring(0, source.indexOf("/src/main/java/"));
  }

  /** Returns the simple name of the test class. */
  String testClass() {
    return test.split("#", 2)[0];
  }
}
