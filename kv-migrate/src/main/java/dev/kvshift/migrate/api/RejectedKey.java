package dev.kvshift.migrate.api;

import dev.kvshift.spi.StoreKey;

/**
 * A key whose newest row the target can never hold, so that it is quarantined.
 *
 * @param key the key, with an empty shard
 * @param digest the SHA-256 of the key as the topic encodes it, which names it in commands and
 *     certificates
 * @param version version of the rejected row
 * @param reason the target's error
 */
public record RejectedKey(StoreKey key, String digest, long version, String reason) {
  /** Returns the key for people. */
  public String keyText() {
    return KeyText.of(key);
  }

  /** Returns key and reason for people. */
  @Override
  public String toString() {
    return keyText() + ": " + reason;
  }
}
