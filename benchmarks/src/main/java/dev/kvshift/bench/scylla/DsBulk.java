package dev.kvshift.bench.scylla;

import dev.kvshift.bench.measure.BenchNode;
import dev.kvshift.embedded.fork.ForkedJvm;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * DSBulk, the bulk loader with which loading is compared. It runs in a JVM of its own because its
 * native driver has the same class names as the one of kv-scylla.
 */
final class DsBulk {
  private static final Duration LIMIT = Duration.ofMinutes(15);
  private static final Pattern PROGRESS =
      Pattern.compile("\\s*([\\d,]+) \\|\\s+([\\d,]+) \\|\\s+([\\d,]+) \\|.*");

  private DsBulk() {}

  /** Writes rows of two columns in the loader's input format. */
  static void write(Path file, PointRows rows) throws IOException {
    Base64.Encoder encoder = Base64.getEncoder();
    try (BufferedWriter out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
      for (int i = 0; i < rows.size(); i++) {
        out.write(encoder.encodeToString(rows.key(i)));
        out.write(',');
        out.write(encoder.encodeToString(rows.value(i)));
        out.write('\n');
      }
    }
  }

  /**
   * Loads a file into a table with the columns k and v.
   *
   * @param tuning further options
   * @return rows per second as the loader reports them, without its start
   */
  static double load(
      BenchNode node, String table, Path file, long rows, List<String> tuning, Path folder)
      throws Exception {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "load",
                "-k",
                BenchNode.KEYSPACE,
                "-t",
                table,
                "-url",
                file.toString(),
                "-header",
                "false",
                "-m",
                "0=k,1=v",
                "-h",
                node.contactPoint().getAddress().getHostAddress(),
                "-port",
                Integer.toString(node.contactPoint().getPort()),
                "-dc",
                node.datacenter(),
                "-cl",
                "LOCAL_QUORUM",
                "-logDir",
                folder.resolve("logs").toString(),
                "--log.ansiMode",
                "disabled"));
    arguments.addAll(tuning);
    ForkedJvm process =
        ForkedJvm.builder("dsbulk", "com.datastax.oss.dsbulk.runner.DataStaxBulkLoader")
            .classPath(classPath())
            .jvmArgs(List.of("-Xms512m", "-Xmx1g"))
            .args(arguments)
            .folder(folder)
            .start();
    try {
      int code = process.onExit().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
      List<String> output = process.logTail();
      if (code != 0) {
        throw new IllegalStateException(
            "DSBulk ended with code " + code + ": " + String.join("\n", output));
      }
      return rate(output, rows);
    } finally {
      process.kill();
    }
  }

  private static double rate(List<String> output, long rows) {
    for (int i = output.size() - 1; i >= 0; i--) {
      Matcher line = PROGRESS.matcher(output.get(i));
      if (line.matches() && number(line.group(1)) == rows && number(line.group(2)) == 0) {
        return number(line.group(3));
      }
    }
    throw new IllegalStateException(
        "DSBulk does not report " + rows + " loaded rows: " + String.join("\n", output));
  }

  private static long number(String shown) {
    return Long.parseLong(shown.replace(",", ""));
  }

  private static List<Path> classPath() throws IOException {
    Path file =
        Path.of(System.getProperty("kvshift.root", "."), "benchmarks/dsbulk/target/classpath");
    if (!Files.isReadable(file)) {
      throw new IllegalStateException(
          file + " is missing: build the checkout and start with -Dkvshift.root=FOLDER");
    }
    return Arrays.stream(Files.readString(file).strip().split(File.pathSeparator, -1))
        .map(Path::of)
        .toList();
  }
}
