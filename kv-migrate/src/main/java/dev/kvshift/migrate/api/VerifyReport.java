package dev.kvshift.migrate.api;

import dev.kvshift.api.Bytes;
import dev.kvshift.model.Keys;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * What a comparison of both stores has found. Only live entries count: a deleted or an expired one
 * is absent.
 *
 * @param sourceRows live rows met on the source
 * @param targetRows live rows met on the target
 * @param rechecked keys that were read again on both sides, one by one
 * @param missing live on the source, absent on the target
 * @param extra live on the target, on the source neither there nor deleted later
 * @param different live on both with another value, version or expiry
 * @param resurrected live on the target although the source deleted it, or it expired, later
 * @param keys the differing keys, as many as the options allow
 * @param position V, the position in the change log from which on keys were checked one by one
 * @param duration how long it took
 */
public record VerifyReport(
    long sourceRows,
    long targetRows,
    long rechecked,
    long missing,
    long extra,
    long different,
    long resurrected,
    List<Difference> keys,
    long position,
    Duration duration) {
  public VerifyReport {
    keys = List.copyOf(keys);
  }

  /** Returns how many keys differ. */
  public long differences() {
    return missing + extra + different + resurrected;
  }

  /** How a key differs. */
  public enum Kind {
    MISSING,
    EXTRA,
    DIFFERENT,
    RESURRECTED
  }

  /**
   * A key that differs.
   *
   * @param key the key, with an empty shard
   * @param kind how it differs
   * @param sourceVersion the source's version, −1 where it knows none
   * @param targetVersion the target's version, −1 where it knows none
   */
  public record Difference(StoreKey key, Kind kind, long sourceVersion, long targetVersion) {
    /** Returns kind and key for people: what our encoding has written is read, too. */
    @Override
    public String toString() {
      String line = kind.name().toLowerCase(Locale.ROOT) + " main=" + shown(key.main());
      return key.clustering().isEmpty() ? line : line + " clustering=" + shown(key.clustering());
    }

    private static String shown(Bytes part) {
      String text = Keys.show(part);
      return text.equals(part.toString()) ? text : text + " [" + part + "]";
    }
  }
}
