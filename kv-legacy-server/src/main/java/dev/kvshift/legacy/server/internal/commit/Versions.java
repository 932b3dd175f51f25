package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.LeaderClock;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The source of versions, which are microseconds. They strictly increase, are never more than
 * {@link #MAX_AHEAD_MICROS} ahead of the clock, and never exceed a ceiling that is durable before
 * or together with their first use, so that no version is issued twice over a crash.
 *
 * <p>Confined to the commit pipeline, except for the published ceiling.
 */
public final class Versions {
  static final long MAX_AHEAD_MICROS = 1_000_000;

  /** The lead of a new ceiling over the last version: a few raises a second under load. */
  static final long BLOCK_MICROS = 250_000;

  /**
   * For how long versions are held back before a seal: services wait until the target's time has
   * certainly passed the floor. It may be behind this clock by the skew limit, and a service may
   * know it to within as much.
   */
  static final Duration HELD_BACK = VersionClock.SKEW_LIMIT.multipliedBy(2);

  private static final long HELD_BACK_MICROS = HELD_BACK.toNanos() / 1_000;

  /** After that time a seal that has failed holds nothing back any more. */
  private static final Duration LONGEST_HELD_BACK = HELD_BACK.multipliedBy(2);

  private static final byte[] CEILING_KEY = Database.utf8("ceiling");
  private static final Logger LOG = LoggerFactory.getLogger(Versions.class);

  private final LeaderClock clock;
  private long now;
  private Duration lead = Duration.ZERO;
  private long last;
  private long ceiling;
  private volatile long publishedCeiling;
  private long holdsBackSinceNanos;
  private boolean holdsBack;

  public Versions(LeaderClock clock, byte @Nullable [] storedCeiling) {
    this.clock = clock;
    this.ceiling = Database.number(storedCeiling, 0);
    this.last = ceiling;
    this.publishedCeiling = ceiling;
    readClock();
  }

  /** Continues above the stored ceiling and above everything that was issued. */
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
    LeaderClock.Time time = clock.read();
    if (lead.isZero() && !time.isConfirmed()) {
      LOG.error(
          "the wall clock has stepped ahead by {} ms: the store takes no writes, trims and purges"
              + " nothing until it is right again; if the new time is right, restart the server",
          time.lead().toMillis());
    } else if (!lead.isZero() && time.isConfirmed()) {
      LOG.info("the wall clock is right again: the store takes writes");
    }
    now = VersionClock.micros(time.now());
    lead = time.lead();
  }

  long now() {
    return now;
  }

  /** Returns the monotonic time. */
  long nanos() {
    return clock.nanos();
  }

  /** Returns the last version that was drawn or kept. */
  long last() {
    return last;
  }

  /**
   * Draws the next version.
   *
   * @throws KvException.Transient if the clock has stepped ahead, or is too far behind the last
   *     version
   */
  public long draw() {
    return draw(1);
  }

  /** Draws a number of consecutive versions and returns the first. */
  public long draw(int count) {
    if (!lead.isZero()) {
      throw new KvException.Transient(
          "the server's clock has stepped ahead by "
              + lead.toMillis()
              + " ms: nothing was written; set the clock right, or restart the server if its time"
              + " is right");
    }
    long next = Math.max(isHeldBack() ? now - HELD_BACK_MICROS : now, last + 1);
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

  /** Draws versions behind the clock for a moment, as far as they rise. */
  void holdBack() {
    holdsBackSinceNanos = clock.nanos();
    holdsBack = true;
  }

  private boolean isHeldBack() {
    holdsBack &= clock.nanos() - holdsBackSinceNanos < LONGEST_HELD_BACK.toNanos();
    return holdsBack;
  }

  /**
   * Keeps a version that a writer supplied, so that later ones exceed it.
   *
   * @throws KvException.Permanent if it is too far ahead of the clock
   */
  void keep(long version) {
    if (version <= last) {
      return;
    }
    if (version - now > MAX_AHEAD_MICROS) {
      throw new KvException.Permanent(
          "version "
              + version
              + " is "
              + (version - now) / 1_000
              + " ms ahead of the server's clock: nothing was written; check the writer's clock");
    }
    last = version;
  }

  /** Returns whether the ceiling must be raised before the versions drawn so far may be used. */
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
