package dev.kvshift.embedded;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A server did not start. Nothing of it is left running, and its temporary folder is gone. The
 * message begins with one line, {@link #summary()}; what the server printed last is under it.
 */
public final class StartFailedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Why. */
  public enum Reason {
    /** A port is taken by another process. */
    PORT_IN_USE,
    /** The file system of the server's folder is full. */
    DISK_FULL,
    /** No JDK at hand runs this server. */
    UNSUITABLE_JDK,
    /** The server's class path is not there: the build has not made it. */
    NOT_BUILT,
    /** A folder or file could not be made or read, or a process not be forked. */
    IO,
    /** Not ready within the start timeout. */
    TIMEOUT,
    /** The process ended before it was ready, for another reason. */
    EXITED,
    /** The calling thread was interrupted; its interrupt flag is set again. */
    INTERRUPTED
  }

  private final Reason reason;
  private final String summary;
  private final List<String> logTail;

  StartFailedException(Reason reason, String summary) {
    this(reason, summary, List.of(), null);
  }

  StartFailedException(Reason reason, String summary, Throwable cause) {
    this(reason, summary, List.of(), cause);
  }

  StartFailedException(
      Reason reason, String summary, List<String> logTail, @Nullable Throwable cause) {
    super(summary, cause);
    this.summary = summary;
    this.reason = reason;
    this.logTail = List.copyOf(logTail);
  }

  public Reason reason() {
    return reason;
  }

  /** The last lines the server printed, at most {@value OutputLog#TAIL_LINES}; may be empty. */
  public List<String> logTail() {
    return logTail;
  }

  /** One line: what happened, to what, and what to do. */
  public String summary() {
    return summary;
  }

  /** The summary and, under it, the lines of {@link #logTail()}. */
  @Override
  public String getMessage() {
    StringBuilder text = new StringBuilder(summary);
    for (String line : logTail) {
      text.append("\n  | ").append(line);
    }
    return text.toString();
  }
}
