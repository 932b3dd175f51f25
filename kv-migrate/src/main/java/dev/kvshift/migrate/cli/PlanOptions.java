package dev.kvshift.migrate.cli;

import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.spi.Store;
import java.time.Duration;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What every command needs to know. */
final class PlanOptions {
  @Option(
      names = "--from",
      required = true,
      paramLabel = "STRING",
      description = "connection string of the store that the collection leaves")
  String from = "";

  @Option(
      names = "--to",
      required = true,
      paramLabel = "STRING",
      description = "connection string of the store that it goes to")
  String to = "";

  @Option(
      names = "--kafka",
      required = true,
      paramLabel = "HOST:PORT",
      description = "the broker, or several with commas between them")
  String kafka = "";

  @Mixin private CollectionOptions collection = new CollectionOptions();

  @Option(
      names = "--partitions",
      defaultValue = "8",
      paramLabel = "N",
      description = "partitions of the topic, 1 to 1000, when it is made (default: 8)")
  int partitions;

  @Option(
      names = "--replication",
      defaultValue = "-1",
      paramLabel = "N",
      description = "replicas of the topic, when it is made (default: the broker's)")
  int replication;

  @Option(
      names = "--retention-hours",
      defaultValue = "168",
      paramLabel = "H",
      description = "how long the topic keeps changes, when it is made (default: 168)")
  long retentionHours;

  @Option(
      names = "--workers",
      defaultValue = "4",
      paramLabel = "N",
      description = "tasks that are copied or compared at once, 1 to 64 (default: 4)")
  int workers;

  @Mixin private ScanOptions scans = new ScanOptions();

  @Option(
      names = "--in-flight",
      defaultValue = "256",
      paramLabel = "N",
      description = "writes under way at the new store, 1 to 10000 (default: 256)")
  int inFlight;

  @Option(
      names = "--pause-limit-millis",
      defaultValue = "800",
      paramLabel = "MS",
      description = "how long an attempt may hold writers back, 100 to 50000 (default: 800)")
  long pauseLimitMillis;

  @Option(
      names = "--fence-seconds",
      defaultValue = "5",
      paramLabel = "S",
      description = "when the fence lifts itself should the runner die, 1 to 60 (default: 5)")
  long fenceSeconds;

  @Option(
      names = "--patience-seconds",
      defaultValue = "120",
      paramLabel = "S",
      description = "how long a server may not answer before the run ends (default: 120)")
  long patienceSeconds;

  /** Both stores and the plan over them; closes the stores. */
  record Opened(MigrationPlan plan) implements AutoCloseable {
    @Override
    public void close() {
      plan.target().close();
      plan.source().close();
    }
  }

  Opened open() {
    Layout layout = collection.layout();
    MigrationOptions options = options();
    Store source = collection.open(from);
    try {
      Store target = collection.open(to);
      return new Opened(new MigrationPlan(collection.name, layout, source, target, kafka, options));
    } catch (RuntimeException e) {
      source.close();
      throw e;
    }
  }

  private MigrationOptions options() {
    MigrationOptions defaults = MigrationOptions.defaults();
    return new MigrationOptions(
        partitions,
        replication,
        Duration.ofHours(retentionHours),
        defaults.copyTasks(),
        workers,
        inFlight,
        defaults.pageRows(),
        scans.rate(),
        defaults.verifyBucketBits(),
        defaults.listedDifferences(),
        defaults.maxRejected(),
        Duration.ofMillis(pauseLimitMillis),
        Duration.ofSeconds(fenceSeconds),
        Duration.ofSeconds(patienceSeconds));
  }
}
