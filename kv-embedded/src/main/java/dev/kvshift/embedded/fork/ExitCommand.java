package dev.kvshift.embedded.fork;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A shell command that runs when this is closed or when this JVM is gone, whichever is first.
 *
 * <p>It also runs if this JVM is killed (SIGKILL), when shutdown hooks do not: a shell waits for
 * the end of a pipe whose other end this JVM holds.
 */
final class ExitCommand implements AutoCloseable {
  private static final long CLOSE_SECONDS = 20;

  /** Escapes signals to this JVM's whole process group, on systems that have setsid. */
  private static final String OWN_SESSION =
      "command -v setsid >/dev/null && exec setsid /bin/sh -c \"$0\" sh \"$1\";"
          + " exec /bin/sh -c \"$0\" sh \"$1\"";

  private final Process shell;

  private ExitCommand(Process shell) {
    this.shell = shell;
  }

  /**
   * Runs one command now and arranges for the other.
   *
   * @param now runs before this method returns
   * @param atExit runs at the end
   * @param argument is {@code $1} in both
   * @throws IOException if {@code now} fails
   */
  static ExitCommand start(String now, String atExit, String argument) throws IOException {
    String script = "trap '' INT HUP TERM; " + now + " || exit 1; echo; read x; " + atExit;
    List<String> command = List.of("/bin/sh", "-c", OWN_SESSION, script, argument);
    Process shell = new ProcessBuilder(command).redirectErrorStream(true).start();
    int answer = shell.getInputStream().read();
    if (answer != '\n') {
      shell.destroyForcibly();
      throw new IOException("cannot run '" + now + "' for " + argument);
    }
    return new ExitCommand(shell);
  }

  /** Runs the command and waits for its end, at most {@value #CLOSE_SECONDS} seconds. */
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
