package dev.kvshift.bench.runner;

import dev.kvshift.bench.measure.Report;
import dev.kvshift.migrate.HostedMigrations;
import dev.kvshift.migrate.MigrationHost;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code bench scale-out}: the copy by two hosts against that by one, to a slow target. */
@Command(
    name = "scale-out",
    description = "A copy by two hosts against a copy by one, to a target that is slow to answer.",
    mixinStandardHelpOptions = true)
public final class ScaleOutBench extends RunnerBench {
  private static final Duration SLOW = Duration.ofMillis(20);
  private static final int HOST_IN_FLIGHT = 32;
  private static final int HOST_WORKERS = 2;
  private static final int PAGE_ROWS = 100;
  private static final int SHARE = 20;
  private static final double LEAST = 1.7;
  private static final Duration LONGEST = Duration.ofMinutes(10);

  @Override
  void measure(Report report, Servers servers) throws Exception {
    report.note(
        "each write takes "
            + SLOW.toMillis()
            + " ms more, and a host has "
            + HOST_IN_FLIGHT
            + " in flight, so that neither the node nor the processors are the limit; both hosts"
            + " are threads of one process; a twentieth of the rows");
    Rows data = points(Math.max(1, rows / SHARE));
    compare(
        report,
        "copy",
        "rows/s",
        contenders(
            "one host",
            round -> copy(servers, data, 1),
            "two hosts",
            round -> copy(servers, data, 2)),
        "two hosts over one",
        LEAST);
  }

  private double copy(Servers servers, Rows data, int count) throws InterruptedException {
    Store slow = new SlowedStore(servers.target(), () -> Futures.after(SLOW));
    MigrationOptions options =
        options().toBuilder()
            .maxInFlight(HOST_IN_FLIGHT)
            .copyWorkers(HOST_WORKERS)
            .pageRows(PAGE_ROWS)
            .build();
    try (Trial trial = new Trial(servers, slow, data, options)) {
      data.load(trial.from, inFlight);
      HostPlan plan = new HostPlan(trial.name, List.of(trial.plan), HostPlan.DEFAULT_LEASE);
      HostedMigrations migrations = new HostedMigrations(plan);
      List<Thread> hosts = start(plan, count);
      try {
        Await.until("the hosts have joined", () -> migrations.hosts().size() == count);
        migrations.ask(trial.name, TaskKind.LEAD);
        Await.until("one leads", () -> isIn(migrations, trial.name, TaskKind.LEAD, "running"));
        long start = System.nanoTime();
        migrations.ask(trial.name, TaskKind.COPY);
        Await.until(
            "it is copied", LONGEST, () -> isIn(migrations, trial.name, TaskKind.COPY, "done"));
        return perSecond(start, data.count());
      } finally {
        hosts.forEach(Thread::interrupt);
        for (Thread host : hosts) {
          host.join();
        }
      }
    }
  }

  private static List<Thread> start(HostPlan plan, int count) {
    List<Thread> hosts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Thread host = new Thread(() -> run(plan), "host-" + i);
      host.start();
      hosts.add(host);
    }
    return hosts;
  }

  private static void run(HostPlan plan) {
    try (MigrationHost host = MigrationHost.join(plan, ProgressListener.NONE)) {
      host.run();
      Thread.interrupted(); // or closing would not wait
    }
  }

  private static boolean isIn(
      HostedMigrations migrations, String collection, TaskKind kind, String status) {
    return migrations.status(collection).task(kind).orElseThrow().status().equals(status);
  }
}
