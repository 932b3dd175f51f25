package dev.kvshift.migrate.api;

import java.time.Duration;
import java.util.Locale;

/**
 * The result of a cutover.
 *
 * @param attempt the attempt that moved the collection
 * @param attempts attempts made by this run; 0 if an earlier run had moved the collection
 * @param floor F, in microseconds since 1970: the target issues versions above it
 * @param incarnation the live incarnation of the target's collection
 * @param pause how long writers waited
 * @param activated from the move until the target's record was active
 */
public record CutoverReport(
    String attempt,
    int attempts,
    long floor,
    long incarnation,
    WritePause pause,
    Duration activated) {
  /** Returns what has happened, and how long writers waited, as one line for people. */
  public String summary() {
    if (attempts == 0) {
      return "moved already by attempt " + attempt;
    }
    return pause.equals(WritePause.NONE)
        ? "moved without a pause, by " + attempt
        : String.format(
            Locale.ROOT,
            "moved after %d ms (fenced %d, drained %d, tail checked %d, moved %d), active after %d"
                + " more",
            pause.total().toMillis(),
            pause.fenced().toMillis(),
            pause.drained().toMillis(),
            pause.tailChecked().toMillis(),
            pause.moved().toMillis(),
            activated.toMillis());
  }
}
