package dev.kvshift.legacy.server;

import dev.kvshift.testkit.meter.Figures;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A server in a separate JVM. */
public final class ServerProcess implements AutoCloseable {
  private static final String READY = "legacy server ready on ";
  private static final int HEAP_MEGABYTES = 256;

  private final Process process;
  private final String address;

  private ServerProcess(Process process, String address) {
    this.process = process;
    this.address = address;
  }

  public static ServerProcess start(Path data, int partitions, int port, String... more)
      throws IOException {
    List<String> jvm = List.of("-Xmx" + HEAP_MEGABYTES + "m", "-XX:TieredStopAtLevel=1");
    return start(jvm, data, partitions, port, more);
  }

  /** Starts a server with four partitions and options of the JVM. */
  static ServerProcess startWith(List<String> jvm, Path data, String... more) throws IOException {
    return start(jvm, data, 4, 0, more);
  }

  private static ServerProcess start(
      List<String> jvm, Path data, int partitions, int port, String... more) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(jvm);
    command.add("-XX:+UseSerialGC");
    command.add("-cp");
    command.add(System.getProperty("java.class.path").replace(";", File.pathSeparator));
    command.add(LegacyServer.class.getName());
    command.addAll(List.of("serve", "--data", data.toString(), "--partitions", "" + partitions));
    command.addAll(List.of("--port", "" + port));
    command.addAll(List.of(more));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    BufferedReader out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = out.readLine();
    if (line == null || !line.startsWith(READY)) {
      process.destroyForcibly();
      throw new AssertionError("the server did not start: " + line);
    }
    return new ServerProcess(process, line.substring(READY.length()));
  }

  public String address() {
    return address;
  }

  int port() {
    return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
  }

  /** Returns the most memory that the process has had, on Linux. */
  long peakKibibytes() {
    return Figures.peakKibibytes(process.pid());
  }

  /** Kills it as kill -9 does. */
  public void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor();
  }

  /** Stops it as SIGTERM does; returns whether it ended in time. */
  boolean stop() throws InterruptedException {
    process.destroy();
    return process.waitFor(10, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
