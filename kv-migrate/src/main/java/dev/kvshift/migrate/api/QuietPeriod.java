package dev.kvshift.migrate.api;

import java.time.Duration;
import java.util.List;

/**
 * The time for which nobody may have used the source before the traces of a migration are deleted.
 *
 * @param length how long ago the move and the last request of a service must be
 * @param lockSpaces the lock spaces that guard the collection: locks of them count as requests
 */
public record QuietPeriod(Duration length, List<String> lockSpaces) {
  /** Copies the list. */
  public QuietPeriod {
    lockSpaces = List.copyOf(lockSpaces);
  }

  /** Returns a period for a collection that no locks guard. */
  public static QuietPeriod of(Duration length) {
    return new QuietPeriod(length, List.of());
  }
}
