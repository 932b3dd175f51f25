package dev.kvshift.embedded;

import java.util.List;

/** How a forked server is tuned. */
public enum Profile {
  /**
   * Starts fast and stays small: first compiler tier, serial collector, 384 MiB of heap. A node
   * acknowledges a write when it is on disk, so that none is lost with the process; that halves the
   * rate of writes.
   */
  TEST,
  /**
   * Runs fast: all compiler tiers, 1 GiB of heap. A node acknowledges a write before it is on disk,
   * as nodes do by default, and loses those of the last 100 ms or so with the process.
   */
  BENCHMARK;

  List<String> jvmArgs() {
    return switch (this) {
      case TEST -> List.of("-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
      case BENCHMARK -> List.of("-Xms1g", "-Xmx1g");
    };
  }
}
