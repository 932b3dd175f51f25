package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import org.jspecify.annotations.Nullable;

/**
 * Draws versions: strictly increasing, never more than {@link #MAX_AHEAD_MICROS} ahead of the
 * clock, never above a ceiling that is durable with or before the first use. Belongs to the commit
 * pipeline.
 */
public final class Versions {
  static final long MAX_AHEAD_MICROS = 1_000_000;
  static final long BLOCK_MICROS = 250_000;
  private static final byte[] CEILING_KEY = Database.utf8("ceiling");

  private final Clock clock;
  private long now;
  private long last;
  private long ceiling;
  private volatile long publishedCeiling;

  public Versions(Clock clock, byte @Nullable [] storedCeiling) {
    this.clock = clock;
    this.ceiling = Database.number(storedCeiling, 0);
    this.last = ceiling;
    this.publishedCeiling = ceiling;
    readClock();
  }

  /** Begins again above the ceiling that is stored, and above all that was issued. */
  void reload(byte @Nullable [] storedCeiling) {
    ceiling = Database.number(storedCeiling, 0);
    last = Math.max(last, ceiling);
    publishedCeiling = ceiling;
  }

  public static byte[] ceilingKey() {
    return CEILING_KEY;
  }

  /** Reads the clock once for the operations that follow. */
  void readClock() {
    now = VersionClock.micros(clock.instant());
  }

  long now() {
    return now;
  }

  /** Returns the last version that was drawn or kept. */
  long last() {
    return last;
  }

  /**
   * Draws the next version.
   *
   * @throws KvException.Transient while the clock lies too far behind what was issued before
   */
  public long draw() {
    return draw(1);
  }

  /** Draws so many in a row, and returns the first. */
  public long draw(int count) {
    long next = Math.max(now, last + 1);
    long behind = next + count - 1 - now;
    if (behind > MAX_AHEAD_MICROS) {
      throw new KvException.Transient(
          "the server's clock is "
              + behind / 1_000
              + " ms behind versions it has issued: nothing was written; set the clock right, or"
              + " wait until it has caught up");
    }
    last = next + count - 1;
    return next;
  }

  /**
   * Keeps a version that a writer brought, so that later ones lie above it.
   *
   * @throws KvException.Permanent if it lies too far ahead of the clock
   */
  void keep(long version) {
    if (version <= last) {
      return;
    }
    if (version - now > MAX_AHEAD_MICROS) {
      throw new KvException.Permanent(
          "version "
              + version
              + " lies "
              + (version - now) / 1_000
              + " ms ahead of the server's clock: nothing was written; check the writer's clock");
    }
    last = version;
  }

  /** Returns whether the ceiling must be raised before what was drawn may be used. */
  boolean exceedsCeiling() {
    return last > ceiling;
  }

  long raiseCeiling() {
    ceiling = last + BLOCK_MICROS;
    return ceiling;
  }

  void publish() {
    publishedCeiling = ceiling;
  }

  long publishedCeiling() {
    return publishedCeiling;
  }
}
