package dev.kvshift.spi;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The limits of a store, checked by the client before anything is sent. Immutable.
 *
 * <p>A driver begins with {@link #defaults()} and states its own with the {@code with} methods.
 */
public final class Limits {
  private static final Limits DEFAULTS = new Limits(new Members());

  private final Members members;

  private Limits(Members members) {
    this.members = members;
  }

  /** The members by name, copied on each change: four numbers in a row are easily exchanged. */
  private static final class Members {
    private int maxMainBytes = 65_000;
    private int maxClusteringBytes = 65_000;
    private int maxValueBytes = 16 << 20;
    private int maxInFlight = 1_024;
    private Duration timeout = Duration.ofSeconds(10);
    private @Nullable Duration tombstoneLifetime;

    private Members copy() {
      Members copy = new Members();
      copy.maxMainBytes = maxMainBytes;
      copy.maxClusteringBytes = maxClusteringBytes;
      copy.maxValueBytes = maxValueBytes;
      copy.maxInFlight = maxInFlight;
      copy.timeout = timeout;
      copy.tombstoneLifetime = tombstoneLifetime;
      return copy;
    }
  }

  /**
   * Returns the default limits: 65,000 bytes for main and clustering part each, 16 MiB for a value,
   * 1,024 requests in flight, 10 s for an operation.
   */
  public static Limits defaults() {
    return DEFAULTS;
  }

  /** Returns the same limits with another longest main part, its shard included, in bytes. */
  public Limits withMaxMainBytes(int maxMainBytes) {
    Members next = members.copy();
    next.maxMainBytes = maxMainBytes;
    return new Limits(next);
  }

  /** Returns the same limits with another longest clustering part, in bytes. */
  public Limits withMaxClusteringBytes(int maxClusteringBytes) {
    Members next = members.copy();
    next.maxClusteringBytes = maxClusteringBytes;
    return new Limits(next);
  }

  /** Returns the same limits with another longest value, in bytes. */
  public Limits withMaxValueBytes(int maxValueBytes) {
    Members next = members.copy();
    next.maxValueBytes = maxValueBytes;
    return new Limits(next);
  }

  /** Returns the same limits with another number of requests in flight. */
  public Limits withMaxInFlight(int maxInFlight) {
    Members next = members.copy();
    next.maxInFlight = maxInFlight;
    return new Limits(next);
  }

  /** Returns the same limits with another time-out of an operation. */
  public Limits withTimeout(Duration timeout) {
    Members next = members.copy();
    next.timeout = Objects.requireNonNull(timeout, "timeout");
    return new Limits(next);
  }

  /**
   * Returns the same limits with another shortest time for which the store remembers a delete of a
   * collection that is being imported.
   */
  public Limits withTombstoneLifetime(Duration tombstoneLifetime) {
    Members next = members.copy();
    next.tombstoneLifetime = Objects.requireNonNull(tombstoneLifetime, "tombstoneLifetime");
    return new Limits(next);
  }

  /** Returns the longest main part, its shard included, in bytes. */
  public int maxMainBytes() {
    return members.maxMainBytes;
  }

  /** Returns the longest clustering part, in bytes. */
  public int maxClusteringBytes() {
    return members.maxClusteringBytes;
  }

  /** Returns the longest value, in bytes. */
  public int maxValueBytes() {
    return members.maxValueBytes;
  }

  /** Returns the maximum number of requests in flight per open store; further ones wait or fail. */
  public int maxInFlight() {
    return members.maxInFlight;
  }

  /** Returns the time-out of an operation whose caller sets none. */
  public Duration timeout() {
    return members.timeout;
  }

  /**
   * Returns the time for which the store remembers a delete of a collection that is being imported:
   * a write of an older version that comes later than that can bring the entry back. Empty, the
   * default, if it never forgets one.
   */
  public Optional<Duration> tombstoneLifetime() {
    return Optional.ofNullable(members.tombstoneLifetime);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Limits that
        && members.maxMainBytes == that.members.maxMainBytes
        && members.maxClusteringBytes == that.members.maxClusteringBytes
        && members.maxValueBytes == that.members.maxValueBytes
        && members.maxInFlight == that.members.maxInFlight
        && members.timeout.equals(that.members.timeout)
        && Objects.equals(members.tombstoneLifetime, that.members.tombstoneLifetime);
  }

  @Override
  public int hashCode() {
    return Objects.hash(
        members.maxMainBytes,
        members.maxClusteringBytes,
        members.maxValueBytes,
        members.maxInFlight,
        members.timeout,
        members.tombstoneLifetime);
  }

  @Override
  public String toString() {
    return "Limits[maxMainBytes="
        + members.maxMainBytes
        + ", maxClusteringBytes="
        + members.maxClusteringBytes
        + ", maxValueBytes="
        + members.maxValueBytes
        + ", maxInFlight="
        + members.maxInFlight
        + ", timeout="
        + members.timeout
        + ", tombstoneLifetime="
        + members.tombstoneLifetime
        + "]";
  }
}
