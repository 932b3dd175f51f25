package dev.kvshift.demo.writer;

import dev.kvshift.migrate.api.DifferenceCounts;
import java.util.List;

/**
 * The differences between the target and the journals.
 *
 * @param keys the number of keys that were checked
 * @param counts the number of differing keys, by kind; the journals find no extra keys
 * @param listed the first differing keys, in words
 */
public record JournalFindings(long keys, DifferenceCounts counts, List<String> listed) {
  /** Copies the list. */
  public JournalFindings {
    listed = List.copyOf(listed);
  }
}
