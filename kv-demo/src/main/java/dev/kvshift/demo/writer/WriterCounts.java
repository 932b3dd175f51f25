package dev.kvshift.demo.writer;

import java.util.ArrayList;
import java.util.List;

/**
 * The operations of the live writer.
 *
 * @param writes writes that were acknowledged
 * @param reads reads that were answered
 * @param failed writes and reads that failed
 * @param stale reads whose answer the journal does not allow
 * @param problems the first failed operations and stale reads, in words
 */
public record WriterCounts(
    long writes, long reads, long failed, long stale, List<String> problems) {
  /** Counts nothing. */
  public static final WriterCounts NONE = new WriterCounts(0, 0, 0, 0, List.of());

  /** Copies the list. */
  public WriterCounts {
    problems = List.copyOf(problems);
  }

  /** Returns the sum of both counts. */
  public WriterCounts plus(WriterCounts other) {
    List<String> all = new ArrayList<>(problems);
    all.addAll(other.problems);
    return new WriterCounts(
        writes + other.writes,
        reads + other.reads,
        failed + other.failed,
        stale + other.stale,
        all);
  }
}
