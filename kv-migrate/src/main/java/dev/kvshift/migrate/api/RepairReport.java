package dev.kvshift.migrate.api;

import dev.kvshift.spi.StoreKey;
import java.util.List;

/**
 * What a repair has done.
 *
 * @param repaired how many keys now hold on the target what the source holds
 * @param reasserted how many of them took a new version at the source
 * @param left the keys that still differ
 */
public record RepairReport(long repaired, long reasserted, List<StoreKey> left) {
  public RepairReport {
    left = List.copyOf(left);
  }
}
