package dev.kvshift.embedded.fork;

import dev.kvshift.embedded.fork.StartFailedException.Reason;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Recognizes in a child's output why it ended before it was ready. */
final class StartFailure {
  private static final Pattern PORT_IN_USE =
      Pattern.compile(
          "(?i)address already in use|in use by another process|failed to bind|port \\d+ on .* cannot be had");
  private static final Pattern DISK_FULL =
      Pattern.compile("(?i)no space left on device|insufficient disk space|disk quota exceeded");
  private static final Pattern UNSUITABLE_JDK =
      Pattern.compile(
          "UnsupportedClassVersionError|(?i)security manager is not supported|enabling a security manager");

  private StartFailure() {}

  /** Returns the reason for a failed start that a line shows; null if it shows none. */
  static @Nullable Reason reason(String line) {
    if (PORT_IN_USE.matcher(line).find()) {
      return Reason.PORT_IN_USE;
    }
    if (DISK_FULL.matcher(line).find()) {
      return Reason.DISK_FULL;
    }
    return UNSUITABLE_JDK.matcher(line).find() ? Reason.UNSUITABLE_JDK : null;
  }

  static StartFailedException of(String name, Path folder, int exitCode, OutputLog log) {
    Reason printed = log.failure();
    Reason reason = printed == null ? Reason.EXITED : printed;
    String summary =
        switch (reason) {
          case PORT_IN_USE -> name + " found its port in use: free the port or choose another";
          case DISK_FULL -> name + " found no space left in " + folder + ": free some";
          case UNSUITABLE_JDK ->
              name
                  + " does not run on this JDK: install JDK 17 or point "
                  + NodeJdk.NODE_VARIABLE
                  + " to one";
          default -> name + " ended with code " + exitCode + " before it was ready: see its output";
        };
    return new StartFailedException(reason, summary, log.tail(), null);
  }
}
