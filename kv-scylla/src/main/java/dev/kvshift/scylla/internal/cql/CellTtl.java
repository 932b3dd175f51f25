package dev.kvshift.scylla.internal.cql;

import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The TTL of an expiring cell. Readers decide by the expiry inside the cell what has expired; the
 * TTL only frees the space, a margin later.
 *
 * <p>At equal write timestamps a server keeps the cell with the later local deletion time, then the
 * one with the shorter TTL, then the one with the greater value. The local deletion time is the
 * second in which the request arrived plus the TTL, so two deliveries of one write differ. A
 * request that fixes the current second avoids that: every expiring cell then has the TTL {@link
 * #FIXED_SECONDS} and the local deletion time {@code removableSecond}, whenever it is sent.
 *
 * @param removableSecond when the server may remove the cell, in seconds since 1970
 */
public record CellTtl(long removableSecond) {
  /**
   * The time for which a cell outlives its entry, so that readers alone decide what has expired.
   */
  private static final Duration MARGIN = Duration.ofMinutes(1);

  /** The time for which a store that keeps its deletes keeps expired entries: 90 days. */
  private static final Duration EXPIRED_KEPT = Duration.ofDays(90);

  /** The time for which such a store keeps deleted entries. */
  private static final Duration DELETED_KEPT = Duration.ofDays(365);

  /** An entry that lives longer gets no TTL, since servers limit it; nothing removes its cell. */
  private static final Duration LONGEST = Duration.ofDays(3_660);

  /**
   * The last second in which servers can remove a cell, in January 2038: Cassandra stores it in 31
   * bits, and refuses or shortens a TTL that goes further. An entry that lives longer gets none.
   */
  static final long LAST_SECOND = Integer.MAX_VALUE - 1L;

  /** TTL of every expiring cell whose request fixes the current second. */
  public static final int FIXED_SECONDS = (int) LONGEST.toSeconds();

  /** Returns the TTL of the cell of an entry that expires; null if the cell gets none. */
  public static @Nullable CellTtl of(Instant expiry, VersionClock clock) {
    long millis = expiry.toEpochMilli();
    if (millis - TimeUnit.MICROSECONDS.toMillis(clock.nowMicros()) > LONGEST.toMillis()) {
      return null;
    }
    long removable = lastSecond(expiry) + MARGIN.toSeconds();
    return removable > LAST_SECOND ? null : new CellTtl(removable);
  }

  /**
   * Returns the TTL of a cell without a margin, in a table that kvshift did not make: the first
   * second in which the entry has expired.
   */
  public static CellTtl exact(Instant expiry) {
    return new CellTtl(lastSecond(expiry));
  }

  private static long lastSecond(Instant expiry) {
    long millis = expiry.toEpochMilli();
    return TimeUnit.MILLISECONDS.toSeconds(millis + TimeUnit.SECONDS.toMillis(1) - 1);
  }

  /**
   * Returns the TTL of the cell of a deleted entry, if the store keeps those. It is later than that
   * of any entry of the same version, so that at equal versions the delete wins.
   */
  public static CellTtl ofDeleted(long version) {
    long removable = TimeUnit.MICROSECONDS.toSeconds(version) + DELETED_KEPT.toSeconds();
    return new CellTtl(Math.min(removable, LAST_SECOND));
  }

  /**
   * Returns the TTL of the cell of an entry that expires, if the store keeps those that have; null
   * if the cell gets none, since it would outlive a delete of the same version.
   */
  public static @Nullable CellTtl ofKept(Instant expiry, long version) {
    long removable = lastSecond(expiry) + EXPIRED_KEPT.toSeconds();
    return removable >= ofDeleted(version).removableSecond ? null : new CellTtl(removable);
  }

  /** Returns the TTL of a request that is sent now, in seconds, at least 1. */
  public int seconds(VersionClock clock) {
    long now = TimeUnit.MICROSECONDS.toSeconds(clock.nowMicros());
    return (int) Math.max(1, removableSecond - now);
  }

  /** Returns the current second that a request with {@link #FIXED_SECONDS} has to fix. */
  public int fixedNow() {
    return (int) (removableSecond - FIXED_SECONDS);
  }
}
