package dev.kvshift.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Where figures were taken.
 *
 * @param commit of the checkout, or {@code unknown}; {@code +} where it was changed since
 * @param load the load average of the last minute when the run began; negative where unknown
 */
record Machine(
    int cores,
    String processor,
    long memoryMebibytes,
    long heapMebibytes,
    String jdk,
    String system,
    double load,
    String commit) {
  static Machine describe() {
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    return new Machine(
        Runtime.getRuntime().availableProcessors(),
        readProcessor(),
        system.getTotalMemorySize() >> 20,
        Runtime.getRuntime().maxMemory() >> 20,
        System.getProperty("java.vm.name") + " " + Runtime.version(),
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + " "
            + System.getProperty("os.arch"),
        system.getSystemLoadAverage(),
        askCommit());
  }

  private static String readProcessor() {
    Path file = Path.of("/proc/cpuinfo");
    if (!Files.isReadable(file)) {
      return "unknown";
    }
    try (Stream<String> lines = Files.lines(file, StandardCharsets.UTF_8)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).trim())
          .findFirst()
          .orElse("unknown");
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be read", e);
    }
  }

  private static String askCommit() {
    String root = System.getProperty("kvshift.root", ".");
    try {
      Process git =
          new ProcessBuilder("git", "-C", root, "describe", "--always", "--dirty=+", "--abbrev=12")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      try (BufferedReader out =
          new BufferedReader(new InputStreamReader(git.getInputStream(), StandardCharsets.UTF_8))) {
        String line = out.readLine();
        return line == null ? "unknown" : line;
      }
    } catch (IOException e) {
      return "unknown";
    }
  }
}
