package dev.kvshift.legacy.server;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * An {@link Attacker} in a process of the lowest priority, because it would have processors of its
 * own: it takes those that server and client leave. One attack at a time.
 */
final class AttackerProcess implements AutoCloseable {
  private final Process process;
  private final BufferedWriter in;
  private volatile boolean over = true;

  private AttackerProcess(Process process) {
    this.process = process;
    this.in =
        new BufferedWriter(
            new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
  }

  static AttackerProcess start(String address, String token, int collection) throws IOException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classes = System.getProperty("java.class.path");
    List<String> command =
        List.of(
            "nice",
            "-n",
            "19",
            java,
            "-Xmx2g",
            "-XX:+UseSerialGC",
            "-cp",
            classes,
            Attacker.class.getName(),
            address,
            token,
            "" + collection);
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    AttackerProcess started = new AttackerProcess(process);
    Thread reader = new Thread(started::read, "attacker");
    reader.setDaemon(true);
    reader.start();
    return started;
  }

  private void read() {
    try (BufferedReader out =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        if (line.startsWith(Attacker.OVER)) {
          over = true;
        }
        System.out.println(line);
      }
    } catch (IOException closed) {
      System.out.println("the attacker has ended: " + closed);
    }
  }

  /** Begins an attack, after the end of what the one before has left open. */
  void begin(String attack) throws IOException {
    over = false;
    in.write(attack + "\n");
    in.flush();
  }

  /** Returns whether the attack that was begun last is over. */
  boolean isOver() {
    return over;
  }

  @Override
  public void close() throws IOException {
    process.destroyForcibly();
    in.close();
  }
}
