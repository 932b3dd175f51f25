package dev.kvshift.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class DemoCommandTest {
  private final StringWriter err = new StringWriter();

  @TempDir Path folder;

  @Test
  void demo_withAnInputFolderThatDoesNotExist_isAUsageError() {
    Path missing = folder.resolve("missing");

    assertThat(execute("demo", "--input", missing.toString())).isEqualTo(2);
    assertThat(err.toString())
        .isEqualTo(
            "kv: --input "
                + missing
                + " is not a folder: give an existing one; --help lists the options\n");
  }

  @Test
  void demo_withTooFewRecords_isAUsageError() {
    assertThat(execute("demo", "--records", "1")).isEqualTo(2);
    assertThat(err.toString())
        .isEqualTo("kv: --records 1: give 2 to 100000000; --help lists the options\n");
  }

  @Test
  void demo_withAnUnknownWay_isAUsageError() {
    assertThat(execute("demo", "--way", "both")).isEqualTo(2);
    assertThat(err.toString())
        .isEqualTo("kv: --way both: give fence or dual-write; --help lists the options\n");
  }

  @Test
  void demo_withATargetOfUnknownScheme_listsTheSchemes() {
    assertThat(execute("demo", "--target", "nosuch://host")).isEqualTo(2);
    assertThat(err.toString())
        .contains("no driver for nosuch://")
        .contains("memory://")
        .hasLineCount(1);
  }

  @Test
  void demo_withATargetThatDoesNotAnswer_isUnavailable() {
    List<ProcessHandle> before = children();

    int code = execute("demo", "--target", "scylla://127.0.0.1:1/demo?localDatacenter=dc1");

    assertThat(err.toString().lines().filter(line -> line.startsWith("kv: ")))
        .hasSize(1)
        .allMatch(line -> line.contains("127.0.0.1:1"));
    assertThat(code).isEqualTo(7);
    assertThat(children()).isEqualTo(before);
  }

  /** Returns the processes that this one runs: those of the tests, if the demo left none. */
  private static List<ProcessHandle> children() {
    return ProcessHandle.current().children().filter(ProcessHandle::isAlive).sorted().toList();
  }

  private int execute(String... args) {
    CommandLine line = DemoCommand.commandLine();
    return line.setErr(new PrintWriter(err)).execute(args);
  }
}
