package dev.kvshift.bench.measure;

import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The machine and the checkout on which figures were taken.
 *
 * @param load the load average of the last minute before the run; null if the system has none
 * @param commit of the checkout, with {@code +} after it if files have changed since; {@code
 *     unknown} without Git
 */
record Machine(
    int cores,
    String processor,
    long memoryMebibytes,
    long heapMebibytes,
    String jdk,
    String system,
    @Nullable Double load,
    String commit) {
  private static final String UNKNOWN = "unknown";

  static Machine describe() {
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    double load = system.getSystemLoadAverage();
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
        load < 0 ? null : load,
        readCommit());
  }

  /** Returns all but the commit, as a line for people. */
  String line() {
    return String.format(
        Locale.ROOT,
        "%d cores (%s), %,d MiB memory, %,d MiB heap, %s, %s, load average %s",
        cores,
        processor,
        memoryMebibytes,
        heapMebibytes,
        jdk,
        system,
        load == null ? UNKNOWN : String.format(Locale.ROOT, "%.2f", load));
  }

  private static String readProcessor() {
    Path file = Path.of("/proc/cpuinfo");
    if (!Files.isReadable(file)) {
      return UNKNOWN;
    }
    try (Stream<String> lines = Files.lines(file, StandardCharsets.UTF_8)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).trim())
          .findFirst()
          .orElse(UNKNOWN);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be read", e);
    }
  }

  private static String readCommit() {
    String root = System.getProperty("kvshift.root", ".");
    try {
      Process git =
          new ProcessBuilder("git", "-C", root, "describe", "--always", "--dirty=+", "--abbrev=12")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      try (BufferedReader out =
          new BufferedReader(new InputStreamReader(git.getInputStream(), StandardCharsets.UTF_8))) {
        String line = out.readLine();
        return line == null ? UNKNOWN : line;
      }
    } catch (IOException e) {
      return UNKNOWN;
    }
  }
}
