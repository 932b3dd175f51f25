package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.ScanRate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The load that scans may put on the stores, which services use at the same time. */
final class ScanOptions {
  @Option(
      names = "--scan-rows-per-second",
      paramLabel = "N",
      description =
          "Maximum number of rows that scans read per second, of both stores together, 100 to"
              + " 10000000 (default: unlimited).")
  private @Nullable Integer rowsPerSecond;

  ScanRate rate() {
    return rowsPerSecond == null ? ScanRate.unlimited() : ScanRate.rowsPerSecond(rowsPerSecond);
  }
}
