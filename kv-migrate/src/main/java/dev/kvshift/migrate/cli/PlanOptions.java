package dev.kvshift.migrate.cli;

import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.KafkaProperties;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.spi.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of every command that needs a plan. */
final class PlanOptions {
  @Option(
      names = "--from",
      required = true,
      paramLabel = "STRING",
      description = "Connection string of the store that the collection leaves.")
  String from = "";

  @Option(
      names = "--to",
      required = true,
      paramLabel = "STRING",
      description = "Connection string of the store that it moves to.")
  String to = "";

  @Option(
      names = "--kafka",
      required = true,
      paramLabel = "HOST:PORT",
      description = "Address of the broker, or several addresses with commas between them.")
  String kafka = "";

  @Option(
      names = "--kafka-properties",
      paramLabel = "FILE",
      description =
          "Properties file of the connection to the broker: security.protocol, ssl.*, sasl.*"
              + " (default: no TLS, no authentication).")
  @Nullable Path kafkaProperties;

  @Mixin private CollectionOptions collection = new CollectionOptions();

  @Option(
      names = "--partitions",
      defaultValue = "8",
      paramLabel = "N",
      description =
          "Partitions of the topic, 1 to 1000 (default: 8). Only used when it is created.")
  int partitions;

  @Option(
      names = "--replication",
      paramLabel = "N",
      description =
          "Replicas of the topic, 1 to 10 (default: the broker's). Only used when it is created.")
  @Nullable Integer replication;

  @Option(
      names = "--retention-hours",
      defaultValue = "168",
      paramLabel = "H",
      description =
          "How long the topic keeps changes, in hours, at least 1 (default: 168). Only used when it"
              + " is created.")
  long retentionHours;

  @Option(
      names = "--workers",
      defaultValue = "4",
      paramLabel = "N",
      description = "Scan tasks copied or compared concurrently, 1 to 64 (default: 4).")
  int workers;

  @Mixin private ScanOptions scans = new ScanOptions();

  @Option(
      names = "--in-flight",
      defaultValue = "256",
      paramLabel = "N",
      description =
          "Maximum number of writes in flight at the new store, 1 to 10000 (default: 256).")
  int inFlight;

  @Option(
      names = "--max-rejected",
      defaultValue = "100",
      paramLabel = "N",
      description =
          "Maximum number of quarantined keys, 0 to 10000; one more ends the run (default: 100).")
  int maxRejected;

  @Option(
      names = "--pause-limit-millis",
      defaultValue = "800",
      paramLabel = "MS",
      description =
          "How long an attempt to move the collection may hold writers back, in milliseconds, 100"
              + " to 50000 (default: 800).")
  long pauseLimitMillis;

  @Option(
      names = "--fence-seconds",
      defaultValue = "5",
      paramLabel = "S",
      description =
          "Seconds after which the old store lifts the fence if the runner dies, 1 to"
              + " 60 (default: 5).")
  long fenceSeconds;

  @Option(
      names = "--patience-seconds",
      defaultValue = "120",
      paramLabel = "S",
      description =
          "How many seconds a store may fail to answer before the run ends (default: 120). A broker"
              + " may fail for as long, but for at most 20 seconds.")
  long patienceSeconds;

  @Option(
      names = "--dwell-seconds",
      defaultValue = "10",
      paramLabel = "S",
      description =
          "Seconds for which each phase of the dual-write cutover lasts at least, 0 to 2592000"
              + " (default: 10). It lasts longer while services miss entries on the new side, see"
              + " differences, or more than one in a thousand of their requests to it fails; with 0,"
              + " that is not looked at.")
  long dwellSeconds;

  @Mixin private HookOption hook = new HookOption();

  @Option(
      names = "--give-up",
      paramLabel = "SERVICE",
      description =
          "A service that the cutover need not wait for, though its instances are not ready; its"
              + " requests fail after the move. May be given several times.")
  List<String> givenUp = List.of();

  @Option(names = "--allow-empty", description = "Migrate also a collection that holds nothing.")
  boolean allowEmpty;

  /** A plan whose stores are closed with it. */
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
    KafkaProperties connection =
        kafkaProperties == null ? KafkaProperties.NONE : KafkaProperties.read(kafkaProperties);
    StrongConsistency.require("--from", from);
    StrongConsistency.require("--to", to);
    Store source = collection.open(from);
    try {
      Store target = collection.open(to);
      return new Opened(
          MigrationPlan.builder(collection.name, layout)
              .source(source)
              .target(target)
              .bootstrapServers(kafka)
              .kafkaProperties(connection)
              .options(options)
              .build());
    } catch (RuntimeException e) {
      source.close();
      throw e;
    }
  }

  private MigrationOptions options() {
    MigrationOptions.Builder builder =
        MigrationOptions.builder()
            .topicPartitions(partitions)
            .topicRetention(Duration.ofHours(retentionHours))
            .copyWorkers(workers)
            .maxInFlight(inFlight)
            .maxRejected(maxRejected)
            .scanRate(scans.rate())
            .pauseLimit(Duration.ofMillis(pauseLimitMillis))
            .fenceLifetime(Duration.ofSeconds(fenceSeconds))
            .patience(Duration.ofSeconds(patienceSeconds))
            .dwell(Duration.ofSeconds(dwellSeconds))
            .hook(hook.of(collection.name))
            .givingUp(Set.copyOf(givenUp));
    if (allowEmpty) {
      builder.allowingEmptySource();
    }
    if (replication != null) {
      builder.replicationFactor(replication);
    }
    return builder.build();
  }
}
