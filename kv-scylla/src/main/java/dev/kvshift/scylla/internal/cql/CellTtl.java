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
    long lastSecond = TimeUnit.MILLISECONDS.toSeconds(millis + TimeUnit.SECONDS.toMillis(1) - 1);
    long removable = lastSecond + MARGIN.toSeconds();
    return removable > LAST_SECOND ? null : new CellTtl(removable);
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
