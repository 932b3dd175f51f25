package dev.kvshift.embedded;

import java.util.List;

/** The tuning of a forked server. */
public enum Profile {
  /**
   * Starts fast and stays small: first compiler tier, serial collector, 384 MiB of heap. A node
   * acknowledges a write once it is on disk, so that killing the process loses none; that halves
   * the rate of writes.
   */
  TEST,
  /**
   * As {@link #TEST}, but a node writes to disk when it has time: for one that is never restarted,
   * whose data may end with its process.
   */
  DISPOSABLE,
  /**
   * Runs fast: all compiler tiers, 1 GiB of heap. A node acknowledges a write before it is on disk,
   * as nodes do by default, and loses those of about the last 100 ms if its process is killed.
   */
  BENCHMARK;

  List<String> jvmArgs() {
    return switch (this) {
      case TEST, DISPOSABLE ->
          List.of("-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
      case BENCHMARK -> List.of("-Xms1g", "-Xmx1g");
    };
  }
}
