package dev.kvshift.migrate.api;

import java.util.List;

/**
 * The traces of a migration that were deleted, or would be.
 *
 * @param deleted what was deleted
 * @param restored the statements that have restored settings of the target
 * @param left what a person has to do: statements that the runner may not run, and what it could
 *     not check
 */
public record RetireReport(List<String> deleted, List<String> restored, List<String> left) {
  /** Copies the lists. */
  public RetireReport {
    deleted = List.copyOf(deleted);
    restored = List.copyOf(restored);
    left = List.copyOf(left);
  }
}
