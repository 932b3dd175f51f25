package dev.kvshift.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.Jazzer;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/**
 * {@code ./check fuzz --seconds N}: Jazzer, which is guided by coverage, on every target for an
 * equal share of the time, each in a process of its own. It starts from the seeds and from what was
 * found before. An input that fails a target is left in {@code target/fuzz/TARGET}; once the defect
 * is fixed, it belongs into {@code src/test/corpus/TARGET}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FuzzLoad {
  private static final long SECONDS = Long.getLong("kvshift.fuzz.seconds", 120);
  private static final String FIGURES = System.getProperty("kvshift.figures");
  private static final int MAX_INPUT_BYTES = 4_096;
  private static final Pattern GIVEN = Pattern.compile("#(\\d+)\\s+INITED");
  private static final Pattern RUNS = Pattern.compile("#(\\d+)\\s+DONE\\s+cov: (\\d+)");

  private final Map<String, Long> figures = new LinkedHashMap<>();

  @TestFactory
  Stream<DynamicTest> targets() {
    return FuzzTargets.ALL.stream()
        .map(target -> DynamicTest.dynamicTest(target.name(), () -> fuzz(target)));
  }

  private void fuzz(FuzzTarget target) throws IOException, InterruptedException {
    Path folder = Path.of("target/fuzz", target.name()).toAbsolutePath();
    Path inputs = Files.createDirectories(folder.resolve("inputs"));
    List<byte[]> known = new ArrayList<>(target.seeds());
    known.addAll(FuzzTest.corpus(target));
    for (int i = 0; i < known.size(); i++) {
      Files.write(inputs.resolve("known-" + i), known.get(i));
    }
    long seconds = Math.max(1, SECONDS / FuzzTargets.ALL.size());
    Path log = folder.resolve("log");
    Process fuzzer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-Xss1m",
                "-D" + FuzzEntry.TARGET + "=" + target.name(),
                "-cp",
                System.getProperty("java.class.path"),
                Jazzer.class.getName(),
                "--target_class=" + FuzzEntry.class.getName(),
                "--instrumentation_includes=dev.kvshift.**",
                "--reproducer_path=" + folder,
                "-artifact_prefix=" + folder + File.separator,
                "-max_total_time=" + seconds,
                "-max_len=" + MAX_INPUT_BYTES,
                "-rss_limit_mb=0",
                inputs.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    int code = fuzzer.waitFor();
    String said = Files.readString(log);
    Matcher runs = RUNS.matcher(said);
    long tried = 0;
    if (runs.find()) {
      tried = Long.parseLong(runs.group(1));
      figures.put(target.name() + "_runs", tried);
      figures.put(target.name() + "_coverage", Long.valueOf(runs.group(2)));
    }
    assertThat(code).as("%s, see %s: %s", target.name(), log, end(said)).isZero();
    Matcher given = GIVEN.matcher(said);
    assertThat(given.find() && Long.parseLong(given.group(1)) < tried)
        .as(
            "%s had %s s, too few for inputs of its own: pass more --seconds",
            target.name(), seconds)
        .isTrue();
  }

  private static String end(String said) {
    return said.substring(Math.max(0, said.length() - 4_000));
  }

  @AfterAll
  void writeFigures() throws IOException {
    if (FIGURES != null) {
      StringBuilder json = new StringBuilder("{");
      figures.forEach(
          (name, value) ->
              json.append(json.length() == 1 ? "" : ",").append('"' + name + "\":" + value));
      Files.writeString(Path.of(FIGURES, "fuzz.json"), json.append('}'));
    }
  }
}
