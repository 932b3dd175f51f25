package dev.kvshift.bench.partition;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kvshift.bench.measure.Sample;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code bench draw}: ratios and charts from the JSON results of {@link PartitionSize}. */
@Command(
    name = "draw",
    description =
        "Medians, their ratios to the smallest main key, and charts, from the JSON results of the"
            + " JMH benchmark PartitionSize.",
    mixinStandardHelpOptions = true)
public final class DrawCommand implements Callable<Integer> {
  private static final String MEDIAN = "50.0";

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "FILE",
      description = "What JMH has written with -rf json -rff FILE.")
  private Path file;

  @Parameters(index = "1", paramLabel = "FOLDER", description = "Where to draw the charts, as PNG.")
  private Path folder;

  @Override
  public Integer call() throws IOException {
    Map<String, Map<Integer, Sample>> curves = curves(file);
    if (curves.isEmpty()) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          file + " has no results of PartitionSize: give what JMH has written with -rf json");
    }
    print(curves, spec.commandLine().getOut());
    Charts.draw(folder, curves);
    return 0;
  }

  /**
   * Returns the medians by size of each layout and kind of request, as {@link Charts} takes them.
   */
  static Map<String, Map<Integer, Sample>> curves(Path results) throws IOException {
    Map<String, Map<Integer, Sample>> curves = new LinkedHashMap<>();
    for (JsonNode result : new ObjectMapper().readTree(results.toFile())) {
      String benchmark = result.path("benchmark").asText();
      if (!benchmark.startsWith(PartitionSize.class.getName() + ".")) {
        continue;
      }
      JsonNode params = result.path("params");
      JsonNode metric = result.path("primaryMetric");
      double median = metric.path("scorePercentiles").path(MEDIAN).asDouble();
      curves
          .computeIfAbsent(
              name(benchmark.substring(benchmark.lastIndexOf('.') + 1), params),
              unknown -> new TreeMap<>())
          .put(params.path("entries").asInt(), new Sample(new double[] {median}));
    }
    return curves;
  }

  private static String name(String request, JsonNode params) {
    String bits = params.path("bits").asText();
    String name =
        (bits.equals("0") ? "unsharded" : "bits=" + bits)
            + ", "
            + request
            + ", "
            + params.path("place").asText()
            + ", "
            + params.path("directory").asText();
    return name
        + other("deletedPercent", "0", params)
        + other("valueBytes", "100", params)
        + other("pageEntries", "100", params);
  }

  /** Names a parameter that is not the default. */
  private static String other(String parameter, String usual, JsonNode params) {
    String given = params.path(parameter).asText();
    return given.equals(usual) ? "" : ", " + parameter + "=" + given;
  }

  static void print(Map<String, Map<Integer, Sample>> curves, PrintWriter out) {
    curves.forEach(
        (name, sizes) -> {
          Sample smallest = sizes.values().iterator().next();
          sizes.forEach(
              (entries, sample) ->
                  out.printf(
                      Locale.ROOT,
                      "%-40s %,12d entries %10.1f µs %8.2f x%n",
                      name,
                      entries,
                      sample.median(),
                      sample.over(smallest).median()));
        });
    out.flush();
  }
}
