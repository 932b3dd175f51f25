package dev.kvshift.bench;

import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
      List.of(
          "encodeString",
          "encodeComposite",
          "decodeComposite",
          "split",
          "getDirect",
          "getTyped",
          "putDirect",
          "putTyped",
          "getRangeKeyDirect",
          "getRangeKeyTyped",
          "getRangeKeySharded");

  @Option(
      names = "--rounds",
      defaultValue = "4",
      description = "JVMs for each measurement, in random order; default ${DEFAULT-VALUE}")
  private int rounds;

  @Option(
      names = "--iteration-millis",
      defaultValue = "100",
      description =
          "of one of 25 iterations, 20 of them warm-up, but for puts; default ${DEFAULT-VALUE}")
  private int iterationMillis;

  @Override
  void measure(Report report, Path folder) throws Exception {
    report.parameter("iterationMillis", iterationMillis);
    Map<String, double[]> bytes = new LinkedHashMap<>();
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    for (String work : WORK) {
      double[] allocated = new double[rounds];
      bytes.put(work, allocated);
      contenders.put(
          work,
          round -> {
            if (round == 0) {
              return 0;
            }
            RunResult result = run(work);
            allocated[round - 1] = allocated(result);
            return result.getPrimaryResult().getScore();
          });
    }
    Map<String, Sample> nanos = rounds(rounds).run("model", contenders);
    for (String work : WORK) {
      report.figure(work, nanos.get(work), "ns/op");
      report.figure(work + ", allocated", new Sample(bytes.get(work)), "B/op");
    }
    compare(report, "get", "getDirect", "getTyped", nanos, bytes);
    compare(report, "put", "putDirect", "putTyped", nanos, bytes);
    compare(report, "get, range", "getRangeKeyDirect", "getRangeKeyTyped", nanos, bytes);
  }

  private static void compare(
      Report report,
      String name,
      String direct,
      String typed,
      Map<String, Sample> nanos,
      Map<String, double[]> bytes) {
    report.figure(name + ": typed over direct", nanos.get(typed).over(nanos.get(direct)), "x");
    report.figure(
        name + ": added by the typed facade",
        nanos.get(typed).minus(nanos.get(direct)),
        "ns/op",
        Goal.atMost(MAX_ADDED_NANOS));
    report.figure(
        name + ": added by the typed facade, allocated",
        new Sample(bytes.get(typed)).minus(new Sample(bytes.get(direct))),
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

  private static double allocated(RunResult result) {
    for (Map.Entry<String, ? extends Result<?>> secondary : asMap(result).entrySet()) {
      if (secondary.getKey().endsWith(ALLOCATED)) {
        return secondary.getValue().getScore();
      }
    }
    throw new IllegalStateException("JMH told nothing of allocation");
  }

  @SuppressWarnings("rawtypes")
  private static Map<String, Result<?>> asMap(RunResult result) {
    Map<String, Result<?>> all = new LinkedHashMap<>();
    for (Map.Entry<String, Result> one : result.getSecondaryResults().entrySet()) {
      all.put(one.getKey(), one.getValue());
    }
    return all;
  }
}
