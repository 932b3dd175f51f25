package dev.kvshift.check;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The checkout that is checked: its folders, its Maven runs and its programs. All of them use this
 * process's standard streams.
 *
 * @param root its root folder
 * @param maven the command that runs Maven
 */
record Checkout(Path root, String maven) {
  /** The heap of a program, which also holds the client side of what it measures. */
  private static final String PROGRAM_HEAP = "-Xmx4g";

  /** Returns the checkout that {@code ./check} names. */
  static Checkout current() {
    return new Checkout(Path.of(System.getProperty("kvshift.root")), "mvn");
  }

  /** Returns an empty folder of this name under {@code target}. */
  Path emptyFolder(String name) throws IOException {
    Path folder = root.resolve("target").resolve(name);
    if (Files.exists(folder)) {
      try (Stream<Path> all = Files.walk(folder)) {
        for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
    return Files.createDirectories(folder);
  }

  /** Runs Maven in the root folder and returns its exit code. */
  int maven(List<String> arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(maven));
    command.addAll(arguments);
    return run(new ProcessBuilder(command).directory(root.toFile()));
  }

  /**
   * Runs a program of the module {@code benchmarks}, after building what is missing, and returns
   * its exit code.
   */
  int program(String mainClass, List<String> arguments) throws IOException, InterruptedException {
    int built = run(new ProcessBuilder(root.resolve("scripts/build").toString(), "all"));
    if (built != 0) {
      return built;
    }
    Path target = root.resolve("benchmarks/target");
    String classPath =
        target.resolve("kvshift-benchmarks.jar")
            + File.pathSeparator
            + Files.readString(target.resolve("classpath")).strip();
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(PROGRAM_HEAP, "-Dkvshift.root=" + root, "-cp", classPath, mainClass));
    command.addAll(arguments);
    return run(new ProcessBuilder(command));
  }

  /** Runs a process, which is terminated if this one is. */
  private static int run(ProcessBuilder builder) throws IOException, InterruptedException {
    Process process = builder.inheritIO().start();
    Thread end = new Thread(process::destroy, "end-of-" + process.pid());
    Runtime.getRuntime().addShutdownHook(end);
    int code = process.waitFor();
    try {
      Runtime.getRuntime().removeShutdownHook(end);
    } catch (IllegalStateException e) {
      // This process ends too: the hook runs, and finds the other one gone.
    }
    return code;
  }
}
