package dev.kvshift.embedded;

import java.util.List;

/** How a forked server is tuned. */
public enum Profile {
  /** Starts fast and stays small: first compiler tier, serial collector, 256 MiB of heap. */
  TEST,
  /** Runs fast: all compiler tiers, 1 GiB of heap. */
  BENCHMARK;

  List<String> jvmArgs() {
    return switch (this) {
      case TEST -> List.of("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
      case BENCHMARK -> List.of("-Xms1g", "-Xmx1g");
    };
  }
}
