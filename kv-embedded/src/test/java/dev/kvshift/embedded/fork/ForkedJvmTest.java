package dev.kvshift.embedded.fork;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ForkedJvmTest {
  @Test
  void close_startedChild_endsItAndItsTemporaryFolder() throws Exception {
    ForkedJvm child = echo("one", "two").start();
    Path folder = child.folder();
    assertThat(Files.readAllLines(child.logFile())).containsExactly("given one two xy", "ready");
    child.close();
    assertThat(child.onExit().get(1, TimeUnit.SECONDS)).isEqualTo(143);
    assertThat(folder).doesNotExist();
    child.close();
  }

  @Test
  void kill_startedChild_endsItAndKeepsItsFolder(@TempDir Path kept) throws Exception {
    try (ForkedJvm child = echo("one").folder(kept).start()) {
      child.kill();
      assertThat(child.onExit().get(1, TimeUnit.SECONDS)).isEqualTo(137);
      assertThatThrownBy(child::pause).isInstanceOf(IllegalStateException.class);
    }
    assertThat(kept.resolve("echo.log")).exists();
  }

  @Test
  void stop_childWithAShutdownHook_letsItEnd(@TempDir Path kept) throws Exception {
    try (ForkedJvm child = echo("ends in order").folder(kept).start()) {
      child.stop(Duration.ofSeconds(30));
      assertThat(child.onExit().get(1, TimeUnit.SECONDS)).isEqualTo(143);
      assertThat(child.logTail()).endsWith("ended in order");
    }
  }

  @Test
  void start_failingMain_failsWithWhatItPrinted() {
    assertThatThrownBy(() -> echo("fail").start())
        .isInstanceOfSatisfying(
            StartFailedException.class,
            e -> {
              assertThat(e.reason()).isEqualTo(StartFailedException.Reason.EXITED);
              assertThat(e.summary())
                  .isEqualTo("echo ended with code 1 before it was ready: see its output");
              assertThat(e.logTail())
                  .startsWith("given fail xy", "java.lang.IllegalStateException: on purpose");
            });
  }

  @Test
  void start_neverReady_failsAfterItsTimeout() {
    ForkedJvm.Builder silent = echo("one").ready(line -> false).startTimeout(Duration.ofSeconds(1));
    assertThatThrownBy(silent::start)
        .isInstanceOfSatisfying(
            StartFailedException.class,
            e -> assertThat(e.reason()).isEqualTo(StartFailedException.Reason.TIMEOUT));
  }

  private static ForkedJvm.Builder echo(String... args) {
    Path classes = Path.of("target", "test-classes").toAbsolutePath();
    return ForkedJvm.builder("echo", EchoMain.class.getName())
        .classPath(List.of(classes))
        .properties(Map.of("extra", "x"))
        .environment(Map.of("EXTRA", "y"))
        .args(List.of(args))
        .ready("ready"::equals);
  }
}
