package dev.kvshift.bench.measure;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ReportTest {
  private static final Machine MACHINE =
      new Machine(2, "a processor", 1_024, 512, "a JDK", "a system", 0.5, "abc");

  @Test
  void report_withOneGoalMissed_isNotMetAndSaysWhich(@TempDir Path folder) throws Exception {
    Report report = new Report("legacy", List.of("--rounds", "3"), 42, MACHINE);
    Sample sample = new Sample(new double[] {0.8, 0.95, 1});
    report.figure("without a goal", sample, "x");
    report.figure("good", sample, "x", Goal.atLeast(0.95));
    report.figure("bad", sample, "x", Goal.atMost(0.9));
    StringWriter printed = new StringWriter();
    report.printFigures(new PrintWriter(printed));
    Path file = folder.resolve("new/figures.json");
    report.write(file);

    assertThat(report.isMet()).isFalse();
    assertThat(printed.toString()).contains("1 of 2 goals met", "goal <= 0.900  NOT MET");
    JsonNode json = new ObjectMapper().readTree(file.toFile());
    assertThat(json.at("/seed").asLong()).isEqualTo(42);
    assertThat(json.at("/machine/commit").asText()).isEqualTo("abc");
    assertThat(json.at("/figures/1/met").asBoolean()).isTrue();
    assertThat(json.at("/figures/2/value").asDouble()).isEqualTo(0.95);
    assertThat(json.at("/figures/2/met").asBoolean()).isFalse();
    assertThat(json.at("/figures/0").has("met")).isFalse();
    assertThat(json.at("/met").asBoolean()).isFalse();
    assertThat(Files.readAllLines(folder.resolve("new/figures.md")))
        .contains(
            "| without a goal | 0.950 x | 0.875 to 0.975 |  |  |",
            "| good | 0.950 x | 0.875 to 0.975 | ≥ 0.950 | met |",
            "| bad | 0.950 x | 0.875 to 0.975 | ≤ 0.900 | **not met** |");
  }

  @Test
  void printFigures_nothingMeasured_printsNothing() {
    StringWriter printed = new StringWriter();
    new Report("legacy", List.of(), 42, MACHINE).printFigures(new PrintWriter(printed));
    assertThat(printed.toString()).isEmpty();
  }

  @Test
  void goal_atItsLimit_isMet() {
    assertThat(Goal.atLeast(0.9).isMet(0.9)).isTrue();
    assertThat(Goal.atMost(0.9).isMet(0.9)).isTrue();
    assertThat(Goal.atLeast(0.9).isMet(Double.NaN)).isFalse();
  }
}
