package dev.kvshift.migrate.api;

import dev.kvshift.spi.StoreKey;

/**
 * A key whose newest row the target can never hold, so that it is quarantined.
 *
 * @param key the key, with an empty shard
 * @param version version of the rejected row
 * @param reason the target's error
 */
public record RejectedKey(StoreKey key, long version, String reason) {
  /** Returns key and reason for people. */
  @Override
  public String toString() {
    return KeyText.of(key) + ": " + reason;
  }
}
