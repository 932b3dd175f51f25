package dev.kvshift.bench;

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

/** {@code bench model}: key encoding and the typed facade, time and allocation of an operation. */
@Command(
    name = "model",
    description =
        "JMH: encode, decode and split, and what the typed facade adds to the in-memory store.",
    mixinStandardHelpOptions = true)
final class ModelBench extends Bench {
  private static final double MAX_ADDED_NANOS = 300;
  private static final double MAX_ADDED_BYTES = 400;
  private static final String ALLOCATED = "gc.alloc.rate.norm";
  private static final List<String> WORK =
      List.of("encodeString", "encodeComposite", "decodeComposite", "split", "getRangeKeySharded");

  /** Each measures direct and typed operations by turns. */
  private static final List<String> PAIRS = List.of("get", "put", "getRangeKey");

  @Option(
      names = "--rounds",
      defaultValue = "5",
      description = "JVMs for each measurement, in random order; default ${DEFAULT-VALUE}")
  private int rounds;

  @Option(
      names = "--iteration-millis",
      defaultValue = "100",
      description =
          "of one of 25 iterations, 20 of them warm-up, but for direct and typed operations, of"
              + " which each makes as many; default ${DEFAULT-VALUE}")
  private int iterationMillis;

  @Override
  void measure(Report report, Path folder) throws Exception {
    report.parameter("iterationMillis", iterationMillis);
    Map<String, List<RunResult>> results = new LinkedHashMap<>();
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    for (String work : concat(WORK, PAIRS)) {
      List<RunResult> ofWork = new ArrayList<>();
      results.put(work, ofWork);
      contenders.put(
          work,
          round -> {
            if (round == 0) {
              return 0;
            }
            RunResult result = run(work);
            ofWork.add(result);
            return result.getPrimaryResult().getScore();
          });
    }
    Map<String, Sample> nanos = rounds(rounds).run("model", contenders);
    for (String work : WORK) {
      report.figure(work, nanos.get(work), "ns/op");
      report.figure(work + ", allocated", counted(results.get(work), ALLOCATED), "B/op");
    }
    for (String work : PAIRS) {
      compare(report, work, results.get(work));
    }
  }

  private static List<String> concat(List<String> some, List<String> more) {
    return Stream.concat(some.stream(), more.stream()).toList();
  }

  private static void compare(Report report, String work, List<RunResult> results) {
    Sample operations = counted(results, "operations");
    Sample directNanos = counted(results, "directNanos").over(operations);
    Sample directBytes = counted(results, "directBytes").over(operations);
    Sample typedNanos = counted(results, "typedNanos").over(operations);
    Sample typedBytes = counted(results, "typedBytes").over(operations);
    report.figure(work + ", direct", directNanos, "ns/op");
    report.figure(work + ", direct, allocated", directBytes, "B/op");
    report.figure(work + ", typed", typedNanos, "ns/op");
    report.figure(work + ", typed, allocated", typedBytes, "B/op");
    report.figure(work + ": typed over direct", typedNanos.over(directNanos), "x");
    report.figure(
        work + ": added by the typed facade",
        typedNanos.minus(directNanos),
        "ns/op",
        Goal.atMost(MAX_ADDED_NANOS));
    report.figure(
        work + ": added by the typed facade, allocated",
        typedBytes.minus(directBytes),
        "B/op",
        Goal.atMost(MAX_ADDED_BYTES));
  }

  private RunResult run(String work) throws Exception {
    Options options =
        new OptionsBuilder()
            .include(ModelWork.class.getName() + "\\." + work + "$")
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

  /** Returns what a JVM each has counted under a name, or under one that ends with it. */
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
    throw new IllegalStateException("JMH told nothing of " + name);
  }
}
