package dev.kvshift.migrate;

import dev.kvshift.embedded.ForkedJvm;
import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** The legacy server in a process of its own. */
public final class LegacyProcess {
  private static final String READY = "legacy server ready on ";

  private LegacyProcess() {}

  public static ForkedJvm start() {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return ForkedJvm.builder("legacy", "dev.kvshift.legacy.server.LegacyServer")
        .classPath(Arrays.stream(classPath.split(File.pathSeparator)).map(Path::of).toList())
        .jvmArgs(List.of("-Xmx256m", "-XX:+UseSerialGC"))
        .args(List.of("serve", "--data", "data", "--port", "0"))
        .ready(line -> line.contains(READY))
        .startTimeout(Duration.ofSeconds(60))
        .start();
  }

  public static String address(ForkedJvm legacy) {
    String line =
        legacy.logTail().stream().filter(text -> text.contains(READY)).findFirst().orElseThrow();
    return line.substring(line.indexOf(READY) + READY.length()).trim();
  }
}
