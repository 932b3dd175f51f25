package dev.kvshift.check.mutants;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Breaks one rule at a time and runs the test that must notice. Sources and classes of the checkout
 * stay as they are: a mutant's classes are compiled into a folder of their own, which comes first
 * on the class path of the test's process.
 *
 * @param root the root folder of the checkout, whose test classes are compiled
 * @param folder an empty folder
 * @param out receives a line per mutant
 */
public record MutantRun(Path root, Path folder, PrintWriter out) {
  private static final long TIME_LIMIT_SECONDS = 300;

  /** In place of the exit code of a process that the time limit has ended. */
  private static final int TIMED_OUT = -1;

  /** The outcome of trying a mutant. */
  public enum Outcome {
    /** The test failed, as it must. */
    KILLED,
    /** The test did not end within the time limit: noticed as well, if the machine was quiet. */
    TIMED_OUT,
    /** The test passed: no test holds the rule. */
    SURVIVED,
    /** The mutant could not be tried: its patch, its test or the unbroken test must be fixed. */
    INVALID;

    /** Returns whether a test has noticed the mutant. */
    public boolean isNoticed() {
      return this == KILLED || this == TIMED_OUT;
    }
  }

  /**
   * A mutant that was tried.
   *
   * @param module the module whose test must fail
   * @param name the mutant's name
   * @param rule the rule that it breaks
   * @param detail why it is invalid, or how the test failed
   */
  public record Tried(String module, String name, String rule, Outcome outcome, String detail) {}

  /** Returns the modules that have mutants, or whose sources are changed by one. */
  public static Set<String> modules(Path root) throws IOException {
    Set<String> modules = new LinkedHashSet<>();
    for (Mutant mutant : Mutant.readAll(root)) {
      modules.add(mutant.module());
      modules.add(mutant.sourceModule());
    }
    return modules;
  }

  /** Returns the Maven arguments that compile the modules and write their class paths. */
  public static List<String> mavenArguments(Set<String> modules) {
    return List.of(
        "-q",
        "-pl",
        String.join(",", modules),
        "-am",
        "-Dspotless.check.skip=true",
        "test-compile",
        "dependency:build-classpath",
        "-Dmdep.includeScope=test",
        "-Dmdep.outputFile=" + ModuleClasses.CLASS_PATH);
  }

  /** Tries the mutants whose name contains the text, or whose module is called so. */
  public List<Tried> run(String filter) throws IOException, InterruptedException {
    ModuleClasses classes = new ModuleClasses(root);
    Map<String, @Nullable String> unbroken = new LinkedHashMap<>();
    List<Tried> all = new ArrayList<>();
    for (Mutant mutant : Mutant.readAll(root)) {
      if (mutant.name().contains(filter) || mutant.module().equals(filter)) {
        Tried tried = tryOne(mutant, classes, unbroken);
        out.printf("%-9s %s %s: %s%n", tried.outcome, tried.module, tried.name, tried.rule);
        if (!tried.outcome.isNoticed()) {
          tried.detail.lines().forEach(line -> out.println("         " + line));
        }
        out.flush();
        all.add(tried);
      }
    }
    return all;
  }

  private Tried tryOne(Mutant mutant, ModuleClasses classes, Map<String, @Nullable String> unbroken)
      throws IOException, InterruptedException {
    String testClass = classes.testClass(mutant.module(), mutant.testClass());
    if (testClass == null) {
      return tried(mutant, Outcome.INVALID, "there is not exactly one class " + mutant.testClass());
    }
    String test = testClass + mutant.test().substring(mutant.testClass().length());
    String key = mutant.module() + " " + test;
    if (!unbroken.containsKey(key)) {
      Ended ended = test(classes, mutant.module(), "", test);
      unbroken.put(key, ended.code == MutantTests.PASSED ? null : ended.said);
    }
    String failure = unbroken.get(key);
    if (failure != null) {
      return tried(mutant, Outcome.INVALID, mutant.test() + " fails without it:\n" + failure);
    }
    Path scratch = folder.resolve(mutant.module()).resolve(mutant.name());
    try {
      String mutated = mutant.applyTo(Files.readString(root.resolve(mutant.source())));
      String errors = classes.compile(mutant, mutated, scratch);
      if (errors != null) {
        return tried(mutant, Outcome.INVALID, errors);
      }
    } catch (IllegalArgumentException e) {
      return tried(mutant, Outcome.INVALID, String.valueOf(e.getMessage()));
    }
    String first = scratch.resolve("classes") + File.pathSeparator;
    Ended ended = test(classes, mutant.module(), first, test);
    return switch (ended.code) {
      case MutantTests.PASSED -> tried(mutant, Outcome.SURVIVED, mutant.test() + " passes");
      case MutantTests.NONE -> tried(mutant, Outcome.INVALID, mutant.test() + " has no test");
      case TIMED_OUT -> tried(mutant, Outcome.TIMED_OUT, ended.said);
      default -> tried(mutant, Outcome.KILLED, ended.said);
    };
  }

  private static Tried tried(Mutant mutant, Outcome outcome, String detail) {
    return new Tried(mutant.module(), mutant.name(), mutant.rule(), outcome, detail);
  }

  /** The end of a test process. */
  private record Ended(int code, String said) {}

  private Ended test(ModuleClasses classes, String module, String firstClasses, String test)
      throws IOException, InterruptedException {
    Path log = folder.resolve("test.log");
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx1g",
            "-XX:+UseSerialGC",
            "-Dkvshift.root=" + root,
            "-cp",
            firstClasses
                + classes.testClassPath(module)
                + File.pathSeparator
                + System.getProperty("java.class.path"),
            MutantTests.class.getName(),
            test);
    Process process =
        new ProcessBuilder(command)
            .directory(root.resolve(module).toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    boolean hasEnded = process.waitFor(TIME_LIMIT_SECONDS, TimeUnit.SECONDS);
    if (!hasEnded) {
      process.destroyForcibly().waitFor();
    }
    String said = Files.readString(log, StandardCharsets.UTF_8);
    return hasEnded
        ? new Ended(process.exitValue(), said)
        : new Ended(TIMED_OUT, "not ended after " + TIME_LIMIT_SECONDS + " s\n" + said);
  }
}
