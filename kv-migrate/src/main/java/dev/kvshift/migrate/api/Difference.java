package dev.kvshift.migrate.api;

import dev.kvshift.spi.StoreKey;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * A key that differs between source and target.
 *
 * @param key the key, with an empty shard
 * @param kind how it differs
 * @param sourceVersion the source's version, or empty if the source has no row
 * @param targetVersion the target's version, or empty if the target has no row
 * @param isForeign whether the source's leader has never issued the target's version for the key,
 *     so that something else has written it
 */
public record Difference(
    StoreKey key,
    Kind kind,
    OptionalLong sourceVersion,
    OptionalLong targetVersion,
    boolean isForeign) {
  /** Creates a difference whose target's version the leader may have issued. */
  public Difference(
      StoreKey key, Kind kind, OptionalLong sourceVersion, OptionalLong targetVersion) {
    this(key, kind, sourceVersion, targetVersion, false);
  }

  /** A kind of difference. */
  public enum Kind {
    /** Live on the source, absent on the target. */
    MISSING,
    /** Live on the target; the source neither holds it nor deleted it later. */
    EXTRA,
    /** Live on both sides with another value, version or expiry. */
    DIFFERENT,
    /** Live on the target although the source deleted it, or it expired there, later. */
    RESURRECTED
  }

  /** Returns kind and key for people. */
  @Override
  public String toString() {
    return kind.name().toLowerCase(Locale.ROOT)
        + (isForeign ? " (foreign) " : " ")
        + KeyText.of(key);
  }
}
