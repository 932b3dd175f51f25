package dev.kvshift.bench.runner;

import dev.kvshift.api.PageLimit;
import dev.kvshift.bench.measure.ParallelScan;
import dev.kvshift.bench.measure.Report;
import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.spi.StoreCollection;
import picocli.CommandLine.Command;

/** {@code bench verify}: the runner's comparison against a plain scan of each side. */
@Command(
    name = "verify",
    description = "The runner's comparison, against a scan of each side.",
    mixinStandardHelpOptions = true)
public final class VerifyBench extends RunnerBench {
  private static final double LEAST = 0.9;

  @Override
  void measure(Report report, Servers servers) throws Exception {
    report.note("rows are counted on both sides; the source is in memory");
    compare(report, servers, "comparison of points", points(rows));
    compare(report, servers, "comparison of ranges", ranges(rows));
  }

  private void compare(Report report, Servers servers, String what, Rows data) throws Exception {
    try (Trial trial = new Trial(servers, servers.target(), data, options());
        Migration migration = Migration.of(trial.plan, ProgressListener.NONE)) {
      data.load(trial.from, inFlight);
      migration.copy();
      migration.catchUp();
      StoreCollection to = trial.to();
      compare(
          report,
          what,
          "rows/s",
          contenders(
              "two scans", round -> scan(trial.from, to), "runner", round -> verify(migration)),
          "runner over two scans",
          LEAST);
    }
  }

  private double scan(StoreCollection from, StoreCollection to) throws Exception {
    MigrationOptions options = options();
    PageLimit page = PageLimit.of(options.pageRows(), PageLimit.MAX_BYTES);
    long start = System.nanoTime();
    long read = 0;
    for (StoreCollection side : new StoreCollection[] {from, to}) {
      read += ParallelScan.count(side, options.copyTasks(), options.copyWorkers(), page);
    }
    return perSecond(start, requireAll(read));
  }

  private double verify(Migration migration) {
    long start = System.nanoTime();
    VerifyReport report = migration.verify();
    if (report.differences() != 0) {
      throw new IllegalStateException("the comparison found differences: " + report);
    }
    return perSecond(start, requireAll(report.sourceRows() + report.targetRows()));
  }

  private long requireAll(long read) {
    if (read != 2L * rows) {
      throw new IllegalStateException(read + " rows were read of " + 2L * rows);
    }
    return read;
  }
}
