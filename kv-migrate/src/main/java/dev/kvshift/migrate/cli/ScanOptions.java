package dev.kvshift.migrate.cli;

import picocli.CommandLine.Option;

/** How hard scans may press on the stores that services use at the same time. */
final class ScanOptions {
  @Option(
      names = "--scan-rows-per-second",
      defaultValue = "0",
      paramLabel = "N",
      description =
          "rows a second that scans may read, of both stores together, 100 to 10000000"
              + " (default: any number)")
  int rowsPerSecond;
}
