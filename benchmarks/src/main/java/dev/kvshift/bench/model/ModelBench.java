package dev.kvshift.bench.model;

import dev.kvshift.bench.measure.Bench;
import dev.kvshift.bench.measure.Goal;
import dev.kvshift.bench.measure.Report;
import dev.kvshift.bench.measure.Rounds;
import dev.kvshift.bench.measure.Sample;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench model}: time and allocation of key encoding and of the typed facade. */
@Command(
    name = "model",
    description =
        "JMH: encoding, decoding and splitting keys, and the cost of the typed facade over the"
            + " in-memory store.",
    mixinStandardHelpOptions = true)
public final class ModelBench extends Bench {
  private static final double MAX_ADDED_NANOS = 300;
  private static final double MAX_ADDED_BYTES = 400;
  private static final String ALLOCATED = "gc.alloc.rate.norm";
  private static final List<String> SINGLE =
      List.of("encodeString", "encodeComposite", "decodeComposite", "split", "getRangeKeySharded");

  /** Each measures direct and typed operations by turns, in the same JVM. */
  private static final List<String> PAIRS = List.of("get", "put", "getRangeKey");

  @Option(
      names = "--rounds",
      defaultValue = "5",
      description = "JVMs for each measurement, in random order (default: ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(
      names = "--iteration-millis",
      defaultValue = "100",
      description =
          "Length of an iteration; 20 of 25 iterations are warm-up. Does not apply to direct and"
              + " typed operations, whose iterations have a fixed count (default:"
              + " ${DEFAULT-VALUE}).")
  private int iterationMillis;

  @Override
  protected void measure(Report report, Path folder) throws Exception {
    report.parameter("iterationMillis", iterationMillis);
    Map<String, List<RunResult>> results = new LinkedHashMap<>();
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    for (String benchmark : concat(SINGLE, PAIRS)) {
      List<RunResult> ofBenchmark = new ArrayList<>();
      results.put(benchmark, ofBenchmark);
      contenders.put(
          benchmark,
          round -> {
            if (round == 0) {
              return 0;
            }
            RunResult result = run(benchmark);
            ofBenchmark.add(result);
            return result.getPrimaryResult().getScore();
          });
    }
    Map<String, Sample> nanos = rounds(rounds).run("model", contenders);
    for (String benchmark : SINGLE) {
      report.figure(benchmark, nanos.get(benchmark), "ns/op");
      report.figure(benchmark + ", allocated", counted(results.get(benchmark), ALLOCATED), "B/op");
    }
    for (String benchmark : PAIRS) {
      compare(report, benchmark, results.get(benchmark));
    }
  }

  private static List<String> concat(List<String> some, List<String> more) {
    return Stream.concat(some.stream(), more.stream()).toList();
  }

  private static void compare(Report report, String benchmark, List<RunResult> results) {
    Sample operations = counted(results, "operations");
    Sample directNanos = counted(results, "directNanos").over(operations);
    Sample directBytes = counted(results, "directBytes").over(operations);
    Sample typedNanos = counted(results, "typedNanos").over(operations);
    Sample typedBytes = counted(results, "typedBytes").over(operations);
    report.figure(benchmark + ", direct", directNanos, "ns/op");
    report.figure(benchmark + ", direct, allocated", directBytes, "B/op");
    report.figure(benchmark + ", typed", typedNanos, "ns/op");
    report.figure(benchmark + ", typed, allocated", typedBytes, "B/op");
    report.figure(benchmark + ": typed over direct", typedNanos.over(directNanos), "x");
    report.figure(
        benchmark + ": added by the typed facade",
        typedNanos.minus(directNanos),
        "ns/op",
        Goal.atMost(MAX_ADDED_NANOS));
    report.figure(
        benchmark + ": added by the typed facade, allocated",
        typedBytes.minus(directBytes),
        "B/op",
        Goal.atMost(MAX_ADDED_BYTES));
  }

  private RunResult run(String benchmark) throws Exception {
    Options options =
        new OptionsBuilder()
            .include(ModelBenchmarks.class.getName() + "\\." + benchmark + "$")
            .addProfiler(GCProfiler.class)
            .forks(1)
            .warmupIterations(20)
            .warmupTime(TimeValue.milliseconds(iterationMillis))
            .measurementIterations(5)
            .measurementTime(TimeValue.milliseconds(iterationMillis))
            .verbosity(VerboseMode.SILENT)
            .shouldFailOnError(true)
            .jvmArgs("-Xms2g", "-Xmx2g", "-Xmn1600m", "-XX:+UseSerialGC")
            .build();
    Collection<RunResult> results = new Runner(options).run();
    return results.iterator().next();
  }

  /** Returns the values, one per JVM, of the counter whose name ends with the given one. */
  private static Sample counted(List<RunResult> results, String name) {
    return new Sample(results.stream().mapToDouble(result -> counted(result, name)).toArray());
  }

  @SuppressWarnings("rawtypes")
  private static double counted(RunResult result, String name) {
    for (Map.Entry<String, Result> secondary : result.getSecondaryResults().entrySet()) {
      if (secondary.getKey().endsWith(name)) {
        return secondary.getValue().getScore();
      }
    }
    throw new IllegalStateException("JMH reported no " + name);
  }
}
