package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.ScanRate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How hard scans may press on the stores that services use at the same time. */
final class ScanOptions {
  @Option(
      names = "--scan-rows-per-second",
      paramLabel = "N",
      description =
          "rows a second that scans may read, of both stores together, 100 to 10000000"
              + " (default: any number)")
  private @Nullable Integer rowsPerSecond;

  ScanRate rate() {
    return rowsPerSecond == null ? ScanRate.unlimited() : ScanRate.rowsPerSecond(rowsPerSecond);
  }
}
