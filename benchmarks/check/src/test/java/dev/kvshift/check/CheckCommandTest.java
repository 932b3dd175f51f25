package dev.kvshift.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.check.results.SampleReports;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Runs the command with a script in place of Maven. */
final class CheckCommandTest {
  private static final String HINT = ": ./check list names what there is\n";

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir Path root;
  private Path maven;

  @BeforeEach
  void writeMaven() throws IOException {
    maven = root.resolve("maven");
    maven("exit 0");
  }

  /** Makes a Maven that keeps its arguments, a line each, and then runs the commands. */
  private void maven(String commands) throws IOException {
    Files.writeString(maven, "#!/bin/sh\nprintf '%s\\n' \"$@\" > arguments\n" + commands + "\n");
    assertThat(maven.toFile().setExecutable(true)).isTrue();
  }

  @Test
  void check_withoutName_verifiesEverythingAndEndsWithTheCounts() throws IOException {
    maven(copyOf("EndingsTest") + "exit 1");
    Path json = root.resolve("all.json");

    assertThat(check("--json", json.toString())).isEqualTo(1);

    assertThat(arguments()).containsExactly("-B", "-ntp", "--fail-at-end", "verify");
    assertThat(out).hasToString("2 passed, 3 failed, 1 skipped\n");
    assertThat(json).hasContent("{\"check\":\"all\",\"passed\":2,\"failed\":3,\"skipped\":1}\n");
  }

  @Test
  void check_withFigures_addsThemToTheJson() throws IOException {
    Path figures = root.resolve("target/ring");
    maven(
        copyOf("NestedTest")
            + "echo '{\"seed\":7,\"kills\":{\"node\":2}}' > "
            + figures.resolve("load.json")
            + "\necho '{\"nodes\":3}' > "
            + figures.resolve("ring.json"));
    Path json = root.resolve("ring.json");

    assertThat(check("ring", "--json", json.toString())).isZero();

    assertThat(arguments())
        .containsExactly(
            "-B",
            "-ntp",
            "-q",
            "-pl",
            "kv-scylla,kv-embedded",
            "-am",
            "-Dspotless.check.skip=true",
            "-Dtest=RingTest,DatacentersTest,CassandraRingTest",
            "-Dsurefire.failIfNoSpecifiedTests=false",
            "-DexcludedGroups=none",
            "-Dkvshift.figures=" + figures,
            "test");
    assertThat(out)
        .hasToString(
            "2 passed, 1 failed, 0 skipped\nload: {seed:7,kills:{node:2}}\nring: {nodes:3}\n");
    assertThat(json)
        .hasContent(
            "{\"check\":\"ring\",\"passed\":2,\"failed\":1,\"skipped\":0,"
                + "\"load\":{\"seed\":7,\"kills\":{\"node\":2}},\"nodes\":3}\n");
  }

  @Test
  void check_figuresOfAnEarlierRun_areGone() throws IOException {
    Path folder = Files.createDirectories(root.resolve("target/ring"));
    Files.writeString(folder.resolve("old.json"), "{}");

    assertThat(check("ring")).isZero();

    assertThat(out).hasToString("0 passed, 0 failed, 0 skipped\n");
  }

  @Test
  void randomOps_withItsOptions_runsTheTestsOfTheDriver() throws IOException {
    assertThat(check("random-ops", "--seed", "-5", "--driver", "legacy", "--operations", "9"))
        .isZero();

    assertThat(arguments())
        .contains("kv-legacy-server", "-Dtest=FileKitTest,NetworkKitTest,RecordsKitTest")
        .contains("-Dgroups=random-operations", "-Dkvshift.operations=9", "-Dkvshift.seed=-5");
  }

  @Test
  void scylla_withItsAddress_handsItToTheTests() throws IOException {
    assertThat(check("scylla", "db-1:9042", "--datacenter", "dc1")).isZero();

    assertThat(arguments())
        .contains("-Dkvshift.scylla=db-1:9042", "-Dkvshift.scylla.datacenter=dc1")
        .noneMatch(argument -> argument.startsWith("-Dkvshift.scylla.replication"));
  }

  @Test
  void check_wrongUsage_saysWhatAndRunsNothing() {
    assertUsage("there is no check 'nosuch'", "nosuch");
    assertUsage("there is no --nosuch here", "--nosuch", "1");
    assertUsage("there is no --seed here", "ring", "--seed", "1");
    assertUsage("--seed has no value", "locks", "--seed");
    assertUsage("Invalid value for option '--seed': 'x' is not a long", "locks", "--seed", "x");
    assertUsage("scylla needs HOST:PORT", "scylla");
    assertUsage("random-ops needs --driver memory, legacy, scylla or sharded", "random-ops");
    assertUsage(
        "random-ops needs --driver memory, legacy, scylla or sharded",
        "random-ops",
        "--driver",
        "nosuch");
    assertThat(root.resolve("arguments")).doesNotExist();
  }

  private void assertUsage(String message, String... args) {
    err.getBuffer().setLength(0);
    assertThat(check(args)).isEqualTo(2);
    assertThat(err).hasToString("check: " + message + HINT);
  }

  @Test
  void list_namesEveryCheckWithinTheWidth() {
    assertThat(check("list")).isZero();

    assertThat(out.toString().lines()).allMatch(line -> line.length() <= 100);
    for (Check check : Catalog.CHECKS) {
      assertThat(out.toString()).contains("\n./check " + check.name() + " ");
    }
    assertThat(out.toString())
        .contains(
            "\n./check random-ops [--operations N] [--seed S] --driver memory|legacy|scylla|sharded\n"
                + "                                        seeded random operations");
  }

  @Test
  void program_whoseBuildFails_endsWithTheBuildsCode() throws IOException {
    Path build = Files.createDirectories(root.resolve("scripts")).resolve("build");
    Files.writeString(build, "#!/bin/sh\nexit 3\n");
    assertThat(build.toFile().setExecutable(true)).isTrue();

    assertThat(check("bench", "load", "--help", "--json", "x.json")).isEqualTo(3);
  }

  private static String copyOf(String report) {
    String folder = "kv-api/target/surefire-reports";
    return "mkdir -p " + folder + "\ncp " + SampleReports.file(report) + " " + folder + "\n";
  }

  private List<String> arguments() throws IOException {
    return Files.readAllLines(root.resolve("arguments"));
  }

  private int check(String... args) {
    CommandLine line = CheckCommand.commandLine(new Checkout(root, maven.toString()));
    return line.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true)).execute(args);
  }
}
