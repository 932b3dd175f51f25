package dev.kvshift.bench;

import dev.kvshift.api.KvException;
import dev.kvshift.embedded.fork.StartFailedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * One measurement. Prints progress on the error stream and figures on the output, and writes them
 * as JSON where that is asked for.
 */
abstract class Bench implements Callable<Integer> {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Option(names = "--json", description = "write the figures to this file as well")
  private @Nullable Path json;

  @Option(names = "--seed", description = "of keys and orders; default: a new one, printed")
  private @Nullable Long givenSeed;

  private long seed;

  /** Measures. {@code folder} is empty, and goes when this returns. */
  abstract void measure(Report report, Path folder) throws Exception;

  @Override
  public Integer call() throws Exception {
    seed = givenSeed == null ? new Random().nextLong() : givenSeed;
    Report report = new Report(spec.name(), arguments(), seed, Machine.describe());
    PrintWriter out = spec.commandLine().getOut();
    report.printHead(out);
    Path folder = Files.createTempDirectory("kvshift-bench");
    try {
      measure(report, folder);
    } catch (StartFailedException | KvException.Transient e) {
      spec.commandLine().getErr().println("bench " + spec.name() + ": " + e.getMessage());
      return BenchCommand.UNAVAILABLE;
    } finally {
      report.printFigures(out);
      delete(folder);
    }
    Path file = json;
    if (file != null) {
      report.write(file);
    }
    return report.isMet() ? 0 : BenchCommand.NOT_MET;
  }

  long seed() {
    return seed;
  }

  Random random(long part) {
    return new Random(seed ^ (part * 0x9e3779b97f4a7c15L));
  }

  /** Says what is being done. */
  void progress(String what) {
    spec.commandLine().getErr().println(what);
  }

  Rounds rounds(int count) {
    return new Rounds(count, random(1), this::progress);
  }

  private List<String> arguments() {
    return spec.commandLine().getParseResult().originalArgs();
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
