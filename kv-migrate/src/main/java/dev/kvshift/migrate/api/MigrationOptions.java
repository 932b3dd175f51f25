package dev.kvshift.migrate.api;

import dev.kvshift.api.WriteOptions;
import dev.kvshift.transition.Coordinator;
import java.time.Duration;
import java.time.LocalTime;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Limits and times of a migration. Immutable. Topic partitions, replication, retention and the
 * number of copy tasks are fixed by the first run; later runs keep its values.
 *
 * <pre>{@code
 * MigrationOptions.builder()
 *     .pauseLimit(Duration.ofMillis(500))
 *     .maxInFlight(1_024)
 *     .build();
 * }</pre>
 */
public final class MigrationOptions {
  private static final MigrationOptions DEFAULTS = builder().build();

  private final int topicPartitions;
  private final OptionalInt replicationFactor;
  private final Duration topicRetention;
  private final int copyTasks;
  private final int copyWorkers;
  private final int maxInFlight;
  private final int pageRows;
  private final ScanRate scanRate;
  private final Duration latencyLimit;
  private final @Nullable WorkingHours workingHours;
  private final int verifySketchBits;
  private final int listedDifferences;
  private final int maxRejected;
  private final Duration pauseLimit;
  private final Duration fenceLifetime;
  private final Duration patience;
  private final Duration dwell;
  private final Coordinator.Hook hook;
  private final Set<String> givenUp;
  private final boolean emptySourceAllowed;
  private final Duration leftToExpireWithin;

  private MigrationOptions(Builder builder) {
    topicPartitions = builder.topicPartitions;
    replicationFactor = builder.replicationFactor;
    topicRetention = builder.topicRetention;
    copyTasks = builder.copyTasks;
    copyWorkers = builder.copyWorkers;
    maxInFlight = builder.maxInFlight;
    pageRows = builder.pageRows;
    scanRate = builder.scanRate;
    latencyLimit = builder.latencyLimit;
    workingHours = builder.workingHours;
    verifySketchBits = builder.verifySketchBits;
    listedDifferences = builder.listedDifferences;
    maxRejected = builder.maxRejected;
    pauseLimit = builder.pauseLimit;
    fenceLifetime = builder.fenceLifetime;
    patience = builder.patience;
    dwell = builder.dwell;
    hook = builder.hook;
    givenUp = builder.givenUp;
    emptySourceAllowed = builder.emptySourceAllowed;
    leftToExpireWithin = builder.leftToExpireWithin;
  }

  /** Returns the defaults. */
  public static MigrationOptions defaults() {
    return DEFAULTS;
  }

  /** Returns a builder with the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Returns a builder with these options. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.topicPartitions = topicPartitions;
    builder.replicationFactor = replicationFactor;
    builder.topicRetention = topicRetention;
    builder.copyTasks = copyTasks;
    builder.copyWorkers = copyWorkers;
    builder.maxInFlight = maxInFlight;
    builder.pageRows = pageRows;
    builder.scanRate = scanRate;
    builder.latencyLimit = latencyLimit;
    builder.workingHours = workingHours;
    builder.verifySketchBits = verifySketchBits;
    builder.listedDifferences = listedDifferences;
    builder.maxRejected = maxRejected;
    builder.pauseLimit = pauseLimit;
    builder.fenceLifetime = fenceLifetime;
    builder.patience = patience;
    builder.dwell = dwell;
    builder.hook = hook;
    builder.givenUp = givenUp;
    builder.emptySourceAllowed = emptySourceAllowed;
    builder.leftToExpireWithin = leftToExpireWithin;
    return builder;
  }

  /** Returns the number of the topic's partitions. */
  public int topicPartitions() {
    return topicPartitions;
  }

  /** Returns the number of the topic's replicas, or empty for the broker's default. */
  public OptionalInt replicationFactor() {
    return replicationFactor;
  }

  /** Returns the time for which the topic keeps changes. */
  public Duration topicRetention() {
    return topicRetention;
  }

  /** Returns the minimum number of tasks that the source's scan is split into. */
  public int copyTasks() {
    return copyTasks;
  }

  /** Returns the number of tasks copied or compared concurrently. */
  public int copyWorkers() {
    return copyWorkers;
  }

  /** Returns the maximum number of requests in flight at the target. */
  public int maxInFlight() {
    return maxInFlight;
  }

  /** Returns the maximum number of rows in a page of a scan. */
  public int pageRows() {
    return pageRows;
  }

  /** Returns the rate at which copying and comparing may read. */
  public ScanRate scanRate() {
    return scanRate;
  }

  /** Returns the rate at which copying and comparing may read at a time of the day. */
  public ScanRate scanRate(LocalTime now) {
    return workingHours != null && workingHours.contains(now) ? workingHours.scans() : scanRate;
  }

  /** Returns the time within which the stores are to answer, or copying and comparing slow down. */
  public Duration latencyLimit() {
    return latencyLimit;
  }

  /** Returns n: a comparison takes at most 96 bytes times 2^n for the differing rows. */
  public int verifySketchBits() {
    return verifySketchBits;
  }

  /** Returns the maximum number of differing keys that a report names. */
  public int listedDifferences() {
    return listedDifferences;
  }

  /** Returns the maximum number of quarantined keys; one more ends the run. */
  public int maxRejected() {
    return maxRejected;
  }

  /** Returns the time for which an attempt to move the collection may hold writers back. */
  public Duration pauseLimit() {
    return pauseLimit;
  }

  /** Returns the time after which the source lifts the fence if the runner dies. */
  public Duration fenceLifetime() {
    return fenceLifetime;
  }

  /**
   * Returns the time for which a store may fail to answer before the run ends. A broker may fail
   * for as long, but for at most 20 s.
   */
  public Duration patience() {
    return patience;
  }

  /** Returns how long each phase of the dual-write cutover lasts at least on the way up. */
  public Duration dwell() {
    return dwell;
  }

  /** Returns who is called before and after each step and each cutover. */
  public Coordinator.Hook hook() {
    return hook;
  }

  /** Returns the services that may be left behind at the cutover. */
  public Set<String> givenUp() {
    return givenUp;
  }

  /** Returns whether a source collection that holds nothing may be migrated. */
  public boolean emptySourceAllowed() {
    return emptySourceAllowed;
  }

  /** Returns the remaining life up to which rows are left to expire at the source; 0 for none. */
  public Duration leftToExpireWithin() {
    return leftToExpireWithin;
  }

  static int require(String name, int value, int from, int to) {
    requireRange(name, value, from, to);
    return value;
  }

  private static void requireRange(String name, long value, long from, long to) {
    if (value < from || value > to) {
      throw new IllegalArgumentException(name + " of " + value + ": give " + from + " to " + to);
    }
  }

  /** Builds options. Each setter throws {@link IllegalArgumentException} if out of range. */
  public static final class Builder {
    private int topicPartitions = 8;
    private OptionalInt replicationFactor = OptionalInt.empty();
    private Duration topicRetention = Duration.ofDays(7);
    private int copyTasks = 64;
    private int copyWorkers = 4;
    private int maxInFlight = 256;
    private int pageRows = 2_000;
    private ScanRate scanRate = ScanRate.unlimited();
    private Duration latencyLimit = Duration.ofSeconds(2);
    private @Nullable WorkingHours workingHours;
    private int verifySketchBits = 20;
    private int listedDifferences = 100;
    private int maxRejected = 100;
    private Duration pauseLimit = Duration.ofMillis(800);
    private Duration fenceLifetime = Duration.ofSeconds(5);
    private Duration patience = Duration.ofMinutes(2);
    private Duration dwell = Duration.ofSeconds(10);
    private Coordinator.Hook hook = Coordinator.Hook.NONE;
    private Set<String> givenUp = Set.of();
    private boolean emptySourceAllowed;
    private Duration leftToExpireWithin = Duration.ZERO;

    private Builder() {}

    /** Sets the number of the topic's partitions: 1 to 1,000, default 8. */
    public Builder topicPartitions(int value) {
      topicPartitions = require("topicPartitions", value, 1, 1_000);
      return this;
    }

    /** Sets the number of the topic's replicas: 1 to 10, default the broker's. */
    public Builder replicationFactor(int value) {
      replicationFactor = OptionalInt.of(require("replicationFactor", value, 1, 10));
      return this;
    }

    /** Sets how long the topic keeps changes: at least 1 h, default 7 days. */
    public Builder topicRetention(Duration value) {
      requireRange("topicRetention in hours", value.toHours(), 1, 100_000);
      topicRetention = value;
      return this;
    }

    /** Sets the minimum number of tasks of the source's scan: 1 to 10,000, default 64. */
    public Builder copyTasks(int value) {
      copyTasks = require("copyTasks", value, 1, 10_000);
      return this;
    }

    /** Sets the number of tasks copied or compared concurrently: 1 to 64, default 4. */
    public Builder copyWorkers(int value) {
      copyWorkers = require("copyWorkers", value, 1, 64);
      return this;
    }

    /** Sets the maximum number of requests in flight at the target: 1 to 10,000, default 256. */
    public Builder maxInFlight(int value) {
      maxInFlight = require("maxInFlight", value, 1, 10_000);
      return this;
    }

    /** Sets the maximum number of rows in a page of a scan: 1 to 10,000, default 2,000. */
    public Builder pageRows(int value) {
      pageRows = require("pageRows", value, 1, 10_000);
      return this;
    }

    /** Sets how fast copying and comparing may read; default unlimited. */
    public Builder scanRate(ScanRate value) {
      scanRate = Objects.requireNonNull(value);
      return this;
    }

    /**
     * Sets the time within which the stores are to answer a page of a scan or a write: 1 ms to 60
     * s, default 2 s, which healthy stores stay far below. While half of the answers of a second
     * take longer, or fail, copying and comparing slow down.
     */
    public Builder latencyLimit(Duration value) {
      requireRange("latencyLimit in ms", value.toMillis(), 1, 60_000);
      latencyLimit = value;
      return this;
    }

    /** Sets hours of the day in which another rate applies; default none. */
    public Builder workingHours(WorkingHours value) {
      workingHours = Objects.requireNonNull(value);
      return this;
    }

    /**
     * Sets n: a comparison takes at most 96 bytes times 2^n, and names about 2 × 2^n rows that
     * differ between the two scans, because services write meanwhile. Beyond that it looks up each
     * row. 10 to 24, default 20, which is 100 MB and takes 1,000 writes a second for half an hour.
     */
    public Builder verifySketchBits(int value) {
      verifySketchBits = require("verifySketchBits", value, 10, 24);
      return this;
    }

    /** Sets the maximum number of differing keys that a report names: 0 to 10,000, default 100. */
    public Builder listedDifferences(int value) {
      listedDifferences = require("listedDifferences", value, 0, 10_000);
      return this;
    }

    /** Sets the maximum number of quarantined keys: 0 to 10,000, default 100. */
    public Builder maxRejected(int value) {
      maxRejected = require("maxRejected", value, 0, 10_000);
      return this;
    }

    /**
     * Sets how long an attempt to move the collection may hold writers back before it is abandoned:
     * 100 ms to 50 s and less than {@code fenceLifetime}, default 800 ms.
     */
    public Builder pauseLimit(Duration value) {
      requireRange("pauseLimit in ms", value.toMillis(), 100, 50_000);
      pauseLimit = value;
      return this;
    }

    /**
     * Sets the time after which the source lifts the fence if the runner dies: 1 to 60 s, default 5
     * s.
     */
    public Builder fenceLifetime(Duration value) {
      requireRange("fenceLifetime in ms", value.toMillis(), 1_000, 60_000);
      fenceLifetime = value;
      return this;
    }

    /**
     * Sets how long a store may fail to answer before the run ends and has to be started again: 1
     * ms to 1 day, default 2 min. A broker may fail for as long, but for at most 20 s, because its
     * clients would only retry with warnings.
     */
    public Builder patience(Duration value) {
      requireRange("patience in ms", value.toMillis(), 1, Duration.ofDays(1).toMillis());
      patience = value;
      return this;
    }

    /**
     * Sets how long each phase of the dual-write cutover lasts at least before the step up: 0 to 30
     * days, default 10 s. It lasts longer while services count trouble with the target: see {@link
     * Coordinator#withDwell}. With 0, their counts are not looked at.
     */
    public Builder dwell(Duration value) {
      requireRange("dwell in ms", value.toMillis(), 0, Duration.ofDays(30).toMillis());
      dwell = value;
      return this;
    }

    /** Sets who is called before and after each step and each cutover; default nobody. */
    public Builder hook(Coordinator.Hook value) {
      hook = Objects.requireNonNull(value);
      return this;
    }

    /**
     * Names services that may be left behind: the cutover does not wait for their instances to be
     * ready, and their requests fail from then on. Default none.
     */
    public Builder givingUp(Set<String> services) {
      givenUp = Set.copyOf(services);
      return this;
    }

    /**
     * Allows the migration of a collection that has never held anything. Refused by default, since
     * it is more likely to be a mistaken name or store.
     */
    public Builder allowingEmptySource() {
      emptySourceAllowed = true;
      return this;
    }

    /**
     * Leaves rows at the source that expire within a time of their copy: 0 to 3,660 days, default
     * 0, which copies all. The collection moves once a comparison finds none of them missing on the
     * target, because they have expired there or were written again.
     */
    public Builder leftToExpireWithin(Duration value) {
      requireRange(
          "leftToExpireWithin in ms", value.toMillis(), 0, WriteOptions.MAX_TTL.toMillis());
      leftToExpireWithin = value;
      return this;
    }

    /**
     * Returns the options.
     *
     * @throws IllegalArgumentException if {@code pauseLimit} is not less than {@code fenceLifetime}
     */
    public MigrationOptions build() {
      if (pauseLimit.compareTo(fenceLifetime) >= 0) {
        throw new IllegalArgumentException(
            "pauseLimit of " + pauseLimit + ": give less than fenceLifetime, " + fenceLifetime);
      }
      return new MigrationOptions(this);
    }
  }
}
