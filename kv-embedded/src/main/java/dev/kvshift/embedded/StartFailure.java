package dev.kvshift.embedded;

import dev.kvshift.embedded.StartFailedException.Reason;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads from a child's last lines why it ended before it was ready. */
final class StartFailure {
  private static final Pattern PORT_IN_USE =
      Pattern.compile("(?i)address already in use|in use by another process|failed to bind");
  private static final Pattern DISK_FULL =
      Pattern.compile("(?i)no space left on device|insufficient disk space|disk quota exceeded");
  private static final Pattern UNSUITABLE_JDK =
      Pattern.compile(
          "UnsupportedClassVersionError|(?i)security manager is not supported|enabling a security manager");

  private StartFailure() {}

  /** What a printed line tells of a start that fails, or null. */
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
    Reason told = log.failure();
    Reason reason = told == null ? Reason.EXITED : told;
    String summary =
        switch (reason) {
          case PORT_IN_USE -> name + " found its port in use: free it or name another";
          case DISK_FULL -> name + " found no space in " + folder + ": free some";
          case UNSUITABLE_JDK ->
              name
                  + " does not run on this JDK: install JDK 17 or point "
                  + NodeJdk.NODE_VARIABLE
                  + " to one";
          default ->
              name
                  + " ended with code "
                  + exitCode
                  + " before it was ready: look at what it printed";
        };
    return new StartFailedException(reason, summary, log.tail(), null);
  }
}
