package dev.kvshift.bench.measure;

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
 * One benchmark. Prints progress on standard error and figures on standard output, and writes the
 * figures as JSON on request.
 */
public abstract class Bench implements Callable<Integer> {
  /** Exit code: a figure misses its goal. */
  public static final int NOT_MET = 5;

  /** Exit code: a server did not start or did not answer. */
  public static final int UNAVAILABLE = 7;

  private static final long SEED_STEP = 0x9e3779b97f4a7c15L;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Write the figures to this file, and a table of them beside it (.md).")
  private @Nullable Path json;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of keys and orders (default: a new one, printed).")
  private @Nullable Long givenSeed;

  private long seed;

  /**
   * Runs the benchmark and adds its figures to the report.
   *
   * @param folder an empty folder that is deleted when this method has returned
   */
  protected abstract void measure(Report report, Path folder) throws Exception;

  @Override
  public final Integer call() throws Exception {
    seed = givenSeed == null ? new Random().nextLong() : givenSeed;
    Report report = new Report(spec.name(), arguments(), seed, Machine.describe());
    PrintWriter out = spec.commandLine().getOut();
    report.printHead(out);
    Path folder = Files.createTempDirectory("kvshift-bench");
    try {
      measure(report, folder);
    } catch (StartFailedException | KvException.Transient e) {
      spec.commandLine().getErr().println("bench " + spec.name() + ": " + e.getMessage());
      return UNAVAILABLE;
    } finally {
      report.printFigures(out);
      delete(folder);
    }
    Path file = json;
    if (file != null) {
      report.write(file);
    }
    return report.isMet() ? 0 : NOT_MET;
  }

  /** Returns a source of random numbers that depends on the seed and the purpose alone. */
  protected final Random random(long purpose) {
    return new Random(seed ^ (purpose * SEED_STEP));
  }

  /** Prints a line of progress. */
  protected final void progress(String line) {
    spec.commandLine().getErr().println(line);
  }

  protected final Rounds rounds(int count) {
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
