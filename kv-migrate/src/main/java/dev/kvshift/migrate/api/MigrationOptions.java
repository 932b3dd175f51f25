package dev.kvshift.migrate.api;

import java.time.Duration;

/**
 * Limits and times of a migration. Immutable; what a first run has made durable (topic partitions,
 * retention, copy tasks) keeps its value in later ones.
 *
 * @param topicPartitions partitions of the topic, 1 to 1,000; default 8
 * @param replicationFactor replicas of the topic, 1 to 10, or −1 for the broker's default; default
 *     −1
 * @param topicRetention how long the topic keeps changes, at least 1 h; default 7 days
 * @param copyTasks into how many tasks the source's scan is cut at least, 1 to 10,000; default 64
 * @param copyWorkers how many tasks are copied at once, 1 to 64; default 4
 * @param maxInFlight how many requests the runner has under way at the target at most, 1 to 10,000;
 *     default 256
 * @param pageRows how many rows a page of a scan holds at most, 1 to 10,000; default 2,000
 * @param scanRate how fast copying and comparing may read; default unlimited
 * @param verifyBucketBits the target's tokens are cut into two to the power of it for comparing, 0
 *     to 20; default 16
 * @param listedDifferences how many differing keys a report names at most, 0 to 10,000; default 100
 * @param maxRejected with how many rejected rows a run gives up, 0 to 10,000; default 100
 * @param pauseLimit how long an attempt to hand over may hold writers back before it is given up,
 *     100 ms to 50 s and less than fenceLifetime; default 800 ms
 * @param fenceLifetime after what time the fence lifts itself should the runner die, 1 to 60 s;
 *     default 5 s
 * @param patience how long a store or the broker may fail to answer before the run ends, to be
 *     started again; default 2 min
 */
public record MigrationOptions(
    int topicPartitions,
    int replicationFactor,
    Duration topicRetention,
    int copyTasks,
    int copyWorkers,
    int maxInFlight,
    int pageRows,
    ScanRate scanRate,
    int verifyBucketBits,
    int listedDifferences,
    int maxRejected,
    Duration pauseLimit,
    Duration fenceLifetime,
    Duration patience) {
  private static final MigrationOptions DEFAULTS =
      new MigrationOptions(
          8,
          -1,
          Duration.ofDays(7),
          64,
          4,
          256,
          2_000,
          ScanRate.unlimited(),
          16,
          100,
          100,
          Duration.ofMillis(800),
          Duration.ofSeconds(5),
          Duration.ofMinutes(2));

  public MigrationOptions {
    require("topicPartitions", topicPartitions, 1, 1_000);
    if (replicationFactor != -1) {
      require("replicationFactor", replicationFactor, 1, 10);
    }
    require("topicRetention in hours", topicRetention.toHours(), 1, 100_000);
    require("copyTasks", copyTasks, 1, 10_000);
    require("copyWorkers", copyWorkers, 1, 64);
    require("maxInFlight", maxInFlight, 1, 10_000);
    require("pageRows", pageRows, 1, 10_000);
    require("verifyBucketBits", verifyBucketBits, 0, 20);
    require("listedDifferences", listedDifferences, 0, 10_000);
    require("maxRejected", maxRejected, 0, 10_000);
    require("fenceLifetime in ms", fenceLifetime.toMillis(), 1_000, 60_000);
    require("pauseLimit in ms", pauseLimit.toMillis(), 100, 50_000);
    if (pauseLimit.compareTo(fenceLifetime) >= 0) {
      throw new IllegalArgumentException(
          "pauseLimit of " + pauseLimit + ": give less than fenceLifetime, " + fenceLifetime);
    }
    require("patience in ms", patience.toMillis(), 1, Duration.ofDays(1).toMillis());
  }

  /** Returns the defaults. */
  public static MigrationOptions defaults() {
    return DEFAULTS;
  }

  static <N extends Number> N require(String name, N value, long from, long to) {
    if (value.longValue() < from || value.longValue() > to) {
      throw new IllegalArgumentException(name + " of " + value + ": give " + from + " to " + to);
    }
    return value;
  }
}
