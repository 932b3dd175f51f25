package dev.kvshift.bench.partition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.bench.measure.Sample;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DrawCommandTest {
  @Test
  void curves_ofJmhResults_areMediansByLayoutAndSize(@TempDir Path folder) throws Exception {
    Path results = folder.resolve("results.json");
    Files.writeString(
        results,
        "["
            + result("PartitionSize.page", "8", 100_000, 660.0)
            + ","
            + result("PartitionSize.page", "8", 1_000, 600.0)
            + ","
            + result("PartitionSize.get", "0", 1_000, 300.0)
            + ", {\"benchmark\": \"another.Benchmark.page\"}]");

    Map<String, Map<Integer, Sample>> curves = DrawCommand.curves(results);

    assertThat(curves)
        .containsOnlyKeys(
            "bits=8, page, start, cached, deletedPercent=50",
            "unsharded, get, start, cached, deletedPercent=50");
    StringWriter out = new StringWriter();
    DrawCommand.print(curves, new PrintWriter(out));
    assertThat(out.toString().lines())
        .containsExactly(
            "bits=8, page, start, cached, deletedPercent=50        1,000 entries      600.0 µs"
                + "     1.00 x",
            "bits=8, page, start, cached, deletedPercent=50      100,000 entries      660.0 µs"
                + "     1.10 x",
            "unsharded, get, start, cached, deletedPercent=50        1,000 entries      300.0 µs"
                + "     1.00 x");
  }

  private static String result(String benchmark, String bits, int entries, double median) {
    return """
        {"benchmark": "dev.kvshift.bench.partition.%s", "mode": "sample",
         "params": {"bits": "%s", "entries": "%d", "place": "start", "directory": "cached",
                    "deletedPercent": "50", "valueBytes": "100", "pageEntries": "100"},
         "primaryMetric": {"score": 1, "scoreUnit": "us/op",
                           "scorePercentiles": {"0.0": 1, "50.0": %s, "90.0": 3}}}
        """
        .formatted(benchmark, bits, entries, median);
  }
}
