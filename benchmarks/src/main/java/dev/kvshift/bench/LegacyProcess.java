package dev.kvshift.bench;

import dev.kvshift.embedded.ForkedJvm;
import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** The legacy server in a process of its own, as it is deployed. */
final class LegacyProcess implements AutoCloseable {
  private static final String READY = "legacy server ready on ";

  private final ForkedJvm process;
  private final String address;

  private LegacyProcess(ForkedJvm process, String address) {
    this.process = process;
    this.address = address;
  }

  static LegacyProcess start(Path folder) {
    AtomicReference<String> address = new AtomicReference<>("");
    ForkedJvm process =
        ForkedJvm.builder("legacy", "dev.kvshift.legacy.server.LegacyServer")
            .classPath(
                Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                    .map(entry -> Path.of(entry).toAbsolutePath())
                    .toList())
            .jvmArgs(List.of("-Xms512m", "-Xmx1g"))
            .args(List.of("serve", "--data", folder.resolve("data").toString(), "--port", "0"))
            .ready(
                line -> {
                  int at = line.indexOf(READY);
                  if (at >= 0) {
                    address.set(line.substring(at + READY.length()).trim());
                  }
                  return at >= 0;
                })
            .folder(folder)
            .start();
    return new LegacyProcess(process, address.get());
  }

  String address() {
    return address;
  }

  /** Returns what the server has used of the processors so far. */
  Duration cpu() {
    return ProcessHandle.of(process.pid())
        .flatMap(handle -> handle.info().totalCpuDuration())
        .orElse(Duration.ZERO);
  }

  @Override
  public void close() {
    process.kill();
  }
}
