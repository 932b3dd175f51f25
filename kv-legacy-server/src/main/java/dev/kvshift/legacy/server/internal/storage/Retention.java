package dev.kvshift.legacy.server.internal.storage;

import dev.kvshift.api.KvException;
import java.time.Duration;

/**
 * Limits of how long the store keeps deletes and changes.
 *
 * @param tombstones the age at which a deleted or expired row may be purged; versioned writes below
 *     it are refused from then on
 * @param changes the age at which a change may be dropped
 * @param changeBytes the largest size of one collection's change log, as estimated by its files
 */
public record Retention(Duration tombstones, Duration changes, long changeBytes) {
  static final Retention DEFAULT = new Retention(Duration.ofDays(30), Duration.ofDays(7), 1L << 40);

  public Retention {
    if (tombstones.isNegative() || changes.isNegative() || changeBytes < 0) {
      throw new KvException.Permanent(
          "retention of "
              + tombstones
              + " and "
              + changes
              + " and "
              + changeBytes
              + " bytes: give none below zero");
    }
  }
}
