package dev.kvshift.embedded;

import dev.kvshift.embedded.StartFailedException.Reason;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** Reads from a child's last lines why it ended before it was ready. */
final class StartFailure {
  private static final Pattern PORT_IN_USE =
      Pattern.compile("(?i)address already in use|in use by another process|failed to bind");
  private static final Pattern DISK_FULL =
      Pattern.compile("(?i)no space left on device|insufficient disk space|disk quota exceeded");
  private static final Pattern UNSUITABLE_JDK =
      Pattern.compile("(?i)UnsupportedClassVersionError|security manager|setting a security");

  private StartFailure() {}

  static StartFailedException of(String name, Path folder, int exitCode, List<String> tail) {
    if (matches(PORT_IN_USE, tail)) {
      return failed(
          Reason.PORT_IN_USE,
          name + " found its port in use: stop the process that has it or name another port",
          tail);
    }
    if (matches(DISK_FULL, tail)) {
      return failed(Reason.DISK_FULL, name + " found no space in " + folder + ": free some", tail);
    }
    if (matches(UNSUITABLE_JDK, tail)) {
      return failed(
          Reason.UNSUITABLE_JDK,
          name
              + " does not run on this JDK: install JDK 17 or point "
              + NodeJdk.NODE_VARIABLE
              + " to one",
          tail);
    }
    return failed(
        Reason.EXITED,
        name + " ended with code " + exitCode + " before it was ready: look at what it printed",
        tail);
  }

  private static StartFailedException failed(Reason reason, String message, List<String> tail) {
    return new StartFailedException(reason, message, tail, null);
  }

  private static boolean matches(Pattern pattern, List<String> lines) {
    return lines.stream().anyMatch(line -> pattern.matcher(line).find());
  }
}
