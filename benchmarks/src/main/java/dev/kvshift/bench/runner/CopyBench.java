package dev.kvshift.bench.runner;

import dev.kvshift.bench.measure.Report;
import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.api.ProgressListener;
import picocli.CommandLine.Command;

/** {@code bench copy}: the runner's copy against the driver's own bulk load of the same rows. */
@Command(
    name = "copy",
    description = "The runner's copy, against the ScyllaDB driver's own bulk load.",
    mixinStandardHelpOptions = true)
public final class CopyBench extends RunnerBench {
  private static final double LEAST = 0.85;

  @Override
  void measure(Report report, Servers servers) throws Exception {
    report.note("the source is in memory; the stream runs beside the copy and has nothing to do");
    compare(report, servers, "copy of points", points(rows));
    compare(report, servers, "copy of ranges", ranges(rows));
  }

  private void compare(Report report, Servers servers, String what, Rows data) throws Exception {
    compare(
        report,
        what,
        "rows/s",
        contenders(
            "kv-scylla",
            round -> data.load(create(servers, data), inFlight),
            "runner",
            round -> copy(servers, data)),
        "runner over the driver's load",
        LEAST);
  }

  private double copy(Servers servers, Rows data) throws InterruptedException {
    try (Trial trial = new Trial(servers, servers.target(), data, options())) {
      data.load(trial.from, inFlight);
      try (Migration migration = Migration.of(trial.plan, ProgressListener.NONE)) {
        migration.start();
        long start = System.nanoTime();
        long copied = migration.copy().counts().written();
        double rate = perSecond(start, copied);
        if (copied != data.count()) {
          throw new IllegalStateException(copied + " rows were copied of " + data.count());
        }
        return rate;
      }
    }
  }
}
