package dev.kvshift.migrate.api;

import dev.kvshift.spi.StoreKey;
import java.util.List;

/**
 * The result of a repair.
 *
 * @param repaired number of keys that are now equal on both sides
 * @param reasserted how many of them needed a new version at the source
 * @param left the keys that still differ
 */
public record RepairReport(long repaired, long reasserted, List<StoreKey> left) {
  /** Copies the list. */
  public RepairReport {
    left = List.copyOf(left);
  }
}
