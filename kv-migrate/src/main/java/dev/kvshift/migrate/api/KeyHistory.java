package dev.kvshift.migrate.api;

import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a migration knows of one key.
 *
 * @param key the key; its shard is empty
 * @param source the source's row, or null if it has none
 * @param target the target's row, or null if it shows none
 * @param changes the key's changes in the topic, oldest first; the newest 100
 * @param rule the change that counts, and why
 * @param verdict whether both sides agree, and what to do if not
 * @param isEqual whether both sides agree
 */
public record KeyHistory(
    StoreKey key,
    @Nullable Version source,
    @Nullable Version target,
    List<Change> changes,
    String rule,
    String verdict,
    boolean isEqual) {
  /** Copies the list. */
  public KeyHistory {
    changes = List.copyOf(changes);
  }

  /** Returns the key as text. */
  public String keyText() {
    return KeyText.of(key);
  }

  /**
   * A row without its value.
   *
   * @param version its version, in µs since 1970
   * @param valueBytes size of the value; -1 for a delete
   * @param expiry when it expires, or null for never
   */
  public record Version(long version, int valueBytes, @Nullable Instant expiry) {
    @Override
    public String toString() {
      Instant at = Instant.EPOCH.plus(version, ChronoUnit.MICROS);
      return (valueBytes < 0 ? "deleted" : valueBytes + " bytes")
          + ", version "
          + version
          + " ("
          + at
          + ")"
          + (expiry == null ? "" : ", expires " + expiry);
    }
  }

  /**
   * A change in the topic.
   *
   * @param position its position in the source's change log
   * @param partition the topic's partition
   * @param offset its offset there
   * @param row the row after it
   */
  public record Change(long position, int partition, long offset, Version row) {}
}
