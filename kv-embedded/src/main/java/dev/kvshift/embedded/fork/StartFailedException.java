package dev.kvshift.embedded.fork;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A server did not start. Nothing of it is left running, and its temporary folder is gone. The
 * message is one line, {@link #summary()}, followed by the last lines of the server's output.
 */
public final class StartFailedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** The reason why a server did not start. */
  public enum Reason {
    /** Another process uses the port. */
    PORT_IN_USE,
    /** The file system of the server's folder is full. */
    DISK_FULL,
    /** No JDK at hand runs this server. */
    UNSUITABLE_JDK,
    /** The build has not yet written the server's class path. */
    NOT_BUILT,
    /** A folder, file or process could not be created, or a file not read. */
    IO,
    /** The server was not ready within the start timeout. */
    TIMEOUT,
    /** The process ended before it was ready, for another reason. */
    EXITED,
    /** The calling thread was interrupted; its interrupt flag is set again. */
    INTERRUPTED
  }

  private final Reason reason;
  private final String summary;
  private final List<String> logTail;

  public StartFailedException(Reason reason, String summary) {
    this(reason, summary, List.of(), null);
  }

  public StartFailedException(Reason reason, String summary, Throwable cause) {
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

  /** Returns the last lines of output, at most {@value OutputLog#TAIL_LINES}; may be empty. */
  public List<String> logTail() {
    return logTail;
  }

  /** Returns one line: what happened, to what, and what to do next. */
  public String summary() {
    return summary;
  }

  /** Returns the summary and, below it, the lines of {@link #logTail()}. */
  @Override
  public String getMessage() {
    StringBuilder text = new StringBuilder(summary);
    for (String line : logTail) {
      text.append("\n  | ").append(line);
    }
    return text.toString();
  }
}
