package dev.kvshift.bench.runner;

import dev.kvshift.bench.measure.Report;
import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine.Command;

/** {@code bench apply}: changes from the topic against plain writes of the same keys. */
@Command(
    name = "apply",
    description = "The runner's apply of a full topic, against the driver's own writes.",
    mixinStandardHelpOptions = true)
public final class ApplyBench extends RunnerBench {
  private static final int CHANGES_PER_KEY = 20;
  private static final double LEAST_UNIQUE = 0.9;
  private static final double LEAST_SKEWED = 1.5;
  private static final Duration STREAMING = Duration.ofMinutes(10);

  @Override
  void measure(Report report, Servers servers) throws Exception {
    report.note("writes to the target are held until the topic has all changes");
    int[] unique = new int[rows];
    int[] skewed = new int[rows];
    Random random = random(3);
    for (int i = 0; i < rows; i++) {
      unique[i] = i;
      skewed[i] = random.nextInt(Math.max(1, rows / CHANGES_PER_KEY));
    }
    compare(report, servers, "apply of unique keys", unique, LEAST_UNIQUE);
    compare(
        report, servers, "apply of " + CHANGES_PER_KEY + " changes a key", skewed, LEAST_SKEWED);
  }

  private void compare(Report report, Servers servers, String what, int[] order, double least)
      throws Exception {
    Rows data = points(rows + 1);
    compare(
        report,
        what,
        "changes/s",
        contenders(
            "kv-scylla",
            round -> write(data, create(servers, data), order),
            "runner",
            round -> apply(servers, data, order)),
        "runner over the driver's writes",
        least);
  }

  private double write(Rows data, StoreCollection to, int[] order) throws InterruptedException {
    return data.write(to, inFlight, order.length, i -> order[i]);
  }

  private double apply(Servers servers, Rows data, int[] order) throws InterruptedException {
    CompletableFuture<Void> released = new CompletableFuture<>();
    Store held = new SlowedStore(servers.target(), () -> released);
    try (Trial trial = new Trial(servers, held, data, options());
        Migration migration = Migration.of(trial.plan, ProgressListener.NONE)) {
      data.write(trial.from, 1, 1, i -> data.count() - 1); // a source must not be empty
      migration.start();
      write(data, trial.from, order);
      Await.until("the topic has all changes", STREAMING, () -> isStreamed(migration.status()));
      long start = System.nanoTime();
      released.complete(null);
      migration.catchUp();
      return perSecond(start, order.length);
    }
  }

  private static boolean isStreamed(MigrationStatus status) {
    MigrationStatus.Stream stream = status.stream();
    return stream != null && stream.position() >= status.source().newestPosition();
  }
}
