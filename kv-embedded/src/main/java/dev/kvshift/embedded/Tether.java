package dev.kvshift.embedded;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A shell command that runs when this is closed or when this JVM is gone, whichever is first,
 * SIGKILL included: a shell waits on a pipe whose other end this JVM holds.
 */
final class Tether implements AutoCloseable {
  private static final long CLOSE_SECONDS = 20;

  /** Where the system can, out of reach of a signal to this JVM's whole process group. */
  private static final String OWN_SESSION =
      "command -v setsid >/dev/null && exec setsid /bin/sh -c \"$0\" sh \"$1\";"
          + " exec /bin/sh -c \"$0\" sh \"$1\"";

  private final Process shell;

  private Tether(Process shell) {
    this.shell = shell;
  }

  /**
   * Runs {@code first} now and {@code last} at the end; {@code $1} in either is the argument.
   * Returns after {@code first}, and throws where it failed.
   */
  static Tether of(String first, String last, String argument) throws IOException {
    String script = "trap '' INT HUP TERM; " + first + " || exit 1; echo; read x; " + last;
    List<String> command = List.of("/bin/sh", "-c", OWN_SESSION, script, argument);
    Process shell = new ProcessBuilder(command).redirectErrorStream(true).start();
    int answer = shell.getInputStream().read();
    if (answer != '\n') {
      shell.destroyForcibly();
      throw new IOException("cannot run '" + first + "' for " + argument);
    }
    return new Tether(shell);
  }

  /** Runs the last command and waits for it, at most {@value #CLOSE_SECONDS} seconds. */
  @Override
  public void close() {
    try {
      shell.getOutputStream().close();
      if (!shell.waitFor(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        shell.destroyForcibly();
      }
    } catch (IOException e) {
      shell.destroyForcibly();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
