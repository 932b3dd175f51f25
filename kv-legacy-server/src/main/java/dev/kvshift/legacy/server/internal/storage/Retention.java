package dev.kvshift.legacy.server.internal.storage;

import dev.kvshift.api.KvException;
import java.time.Duration;

/**
 * How long the store keeps what nobody reads any more.
 *
 * @param tombstones how old the version of a deleted or expired row is before the row may go; a
 *     versioned write below that age is refused from then on
 * @param changes how old a change is before it may go
 * @param changeBytes how large one collection's change log may grow, as far as its files tell
 */
public record Retention(Duration tombstones, Duration changes, long changeBytes) {
  static final Retention DEFAULT = new Retention(Duration.ofDays(30), Duration.ofDays(7), 1L << 40);

  public Retention {
    if (tombstones.isNegative() || changes.isNegative() || changeBytes < 0) {
      throw new KvException.Permanent("retention " + tombstones + ", " + changes + ": give more");
    }
  }
}
