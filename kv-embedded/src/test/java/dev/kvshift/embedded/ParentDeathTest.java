package dev.kvshift.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ParentDeathTest {
  private static final long LIMIT_SECONDS = 30;

  @TempDir Path temporary;

  @Test
  void killedParent_runningAndPausedServers_leavesNoProcessAndNoFolder() throws Exception {
    Process parent =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-UsePerfData",
                "-Dkvshift.root=" + System.getProperty("kvshift.root"),
                "-Djava.io.tmpdir=" + temporary,
                "-cp",
                System.getProperty("java.class.path"),
                ParentMain.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      BufferedReader out =
          new BufferedReader(
              new InputStreamReader(parent.getInputStream(), StandardCharsets.UTF_8));
      List<ProcessHandle> servers = new ArrayList<>();
      for (String pid : out.readLine().split(" ", 2)) {
        servers.add(ProcessHandle.of(Long.parseLong(pid)).orElseThrow());
      }
      List<ProcessHandle> all = parent.descendants().toList();
      assertThat(all).containsAll(servers);
      assertThat(list(temporary)).hasSize(2);

      parent.destroyForcibly();

      for (ProcessHandle process : all) {
        process.onExit().get(LIMIT_SECONDS, TimeUnit.SECONDS);
      }
      awaitEmpty(temporary);
    } finally {
      parent.destroyForcibly();
    }
  }

  private static void awaitEmpty(Path folder) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
    while (!list(folder).isEmpty() && System.nanoTime() < end) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
    }
    assertThat(list(folder)).isEmpty();
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.toList();
    }
  }
}
