package dev.kvshift.migrate.api;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The result of a copy.
 *
 * @param counts the accounting over all runs of the copy
 * @param duration time taken by this run; zero if an earlier run had copied everything
 * @param snapshot the oldest snapshot that rows were copied from; null if all were copied from the
 *     source
 */
public record CopyReport(CopyCounts counts, Duration duration, @Nullable CopiedSnapshot snapshot) {
  /** Creates the result of a copy from the source. */
  public CopyReport(CopyCounts counts, Duration duration) {
    this(counts, duration, null);
  }
}
