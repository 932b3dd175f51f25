package dev.kvshift.migrate.internal.monitor;

import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.internal.monitor.MonitoredCollection.Figures;
import dev.kvshift.spi.Phase;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The metrics of a monitor, which docs/monitoring.md lists. A figure that is not known is NaN, so
 * that no alert takes an old one for the truth; {@code kvshift_read} says so.
 */
final class MonitorMetrics {
  private static final List<Phase> PHASES = List.of(Phase.values());
  private static final List<String> STATUSES = List.of("wanted", "running", "failed");
  private static final List<String> STEPS =
      List.of(
          "new",
          "prepared",
          "copy",
          "copied",
          "verify",
          "verified",
          "differences",
          "cutover",
          "moved");

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

  /**
   * Creates the metrics of collections.
   *
   * @param hosts returns the number of live hosts; NaN if it is not known
   */
  MonitorMetrics(DoubleSupplier hosts, List<MonitoredCollection> collections) {
    Gauge.builder("kvshift.hosts", hosts, DoubleSupplier::getAsDouble)
        .description("Live hosts")
        .register(registry);
    collections.forEach(this::add);
  }

  /** Returns the metrics in Prometheus' text format. */
  String scrape() {
    return registry.scrape();
  }

  private void add(MonitoredCollection collection) {
    Tags tags = Tags.of("collection", collection.name());
    Gauge.builder("kvshift.read", collection, of -> of.figures() == null ? 0 : 1)
        .description("1 if the last reading of the collection succeeded")
        .tags(tags)
        .register(registry);
    FunctionCounter.builder("kvshift.read.failures", collection, MonitoredCollection::failures)
        .description("Failed readings of the collection")
        .tags(tags)
        .register(registry);
    for (String step : STEPS) {
      gauge(
          collection,
          "kvshift.step",
          null,
          "1 for the step that the collection is in",
          figures -> figures.reading().step().equals(step) ? 1 : 0,
          tags.and("step", step));
    }
    gauge(
        collection,
        "kvshift.phase",
        null,
        "Phase, 0 (legacy) to 6 (new-only)",
        figures -> PHASES.indexOf(figures.reading().fleet().state().phase()),
        tags);
    gauge(
        collection,
        "kvshift.fenced",
        null,
        "1 while writers wait behind a fence",
        figures -> figures.reading().fleet().state().fence() == null ? 0 : 1,
        tags);
    gauge(
        collection,
        "kvshift.paused",
        null,
        "1 while hosts are kept off the collection",
        figures -> figures.reading().collection().isPaused() ? 1 : 0,
        tags);
    copy(collection, tags);
    changes(collection, tags);
    proof(collection, tags);
    work(collection, tags);
  }

  private void copy(MonitoredCollection collection, Tags tags) {
    rows(collection, "read", CopyCounts::read, tags);
    rows(collection, "written", CopyCounts::written, tags);
    rows(collection, "rejected", CopyCounts::rejected, tags);
    gauge(
        collection,
        "kvshift.copy.expected.rows",
        null,
        "Rows that the copy will have read",
        figures -> {
          var expected = figures.reading().expectedRows();
          return expected.isPresent() ? expected.getAsLong() : Double.NaN;
        },
        tags);
    gauge(
        collection,
        "kvshift.copy.rows.per.second",
        null,
        "Rows read by the copy per second",
        figures -> figures.rates().copy(),
        tags);
    gauge(
        collection,
        "kvshift.verify.rows.per.second",
        null,
        "Rows compared per second",
        figures -> figures.rates().verify(),
        tags);
    gauge(
        collection,
        "kvshift.time.left",
        "seconds",
        "Time left of the copy or the comparison",
        Figures::secondsLeft,
        tags);
  }

  private void changes(MonitoredCollection collection, Tags tags) {
    gauge(
        collection,
        "kvshift.stream.changes.per.second",
        null,
        "Changes sent per second",
        figures -> figures.rates().stream(),
        tags);
    gauge(
        collection,
        "kvshift.apply.changes.per.second",
        null,
        "Changes applied per second",
        figures -> figures.rates().apply(),
        tags);
    gauge(
        collection,
        "kvshift.stream.lag.changes",
        null,
        "Changes that the topic lacks",
        figures -> figures.reading().streamLag(),
        tags);
    gauge(
        collection,
        "kvshift.apply.lag.changes",
        null,
        "Changes that the new store lacks",
        figures -> figures.reading().applyLag(),
        tags);
    gauge(
        collection,
        "kvshift.apply.lag.records",
        null,
        "Records of the topic not yet applied",
        figures -> figures.reading().lag() == null ? 0 : figures.reading().lag().records(),
        tags);
    gauge(
        collection,
        "kvshift.apply.lag",
        "bytes",
        "Approximate size of these records",
        figures -> {
          var lag = figures.reading().lag();
          return lag == null || lag.bytes().isEmpty() ? Double.NaN : lag.bytes().getAsLong();
        },
        tags);
    gauge(
        collection,
        "kvshift.apply.lag",
        "seconds",
        "Age of the oldest change not applied",
        Figures::lagSeconds,
        tags);
    gauge(
        collection,
        "kvshift.source.retention",
        "seconds",
        "Time until the old store may drop changes that are not streamed",
        figures -> {
          MigrationStatus.Stream stream = figures.reading().status().stream();
          return stream == null ? Double.NaN : secondsUntil(stream.keptUntil());
        },
        tags);
  }

  private void proof(MonitoredCollection collection, Tags tags) {
    gauge(
        collection,
        "kvshift.verify.differences",
        null,
        "Differences of the last comparison",
        figures -> {
          Reading.Verified verified = figures.reading().verified();
          return verified == null ? Double.NaN : verified.report().differences();
        },
        tags);
    gauge(
        collection,
        "kvshift.verify.valid",
        "seconds",
        "Time for which the last comparison still proves something",
        figures -> {
          Reading.Verified verified = figures.reading().verified();
          return verified == null ? Double.NaN : secondsUntil(verified.validUntil());
        },
        tags);
    gauge(
        collection,
        "kvshift.verify.foreign",
        null,
        "Differing rows of the last comparison that something else has written",
        figures -> {
          Reading.Verified verified = figures.reading().verified();
          return verified == null ? Double.NaN : verified.report().foreign();
        },
        tags);
    gauge(
        collection,
        "kvshift.dead.letters",
        null,
        "Keys in quarantine",
        figures -> figures.reading().status().quarantine().keys(),
        tags);
    gauge(
        collection,
        "kvshift.accepted.losses",
        null,
        "Keys that a person has accepted as lost",
        figures -> figures.reading().status().quarantine().acceptedLosses(),
        tags);
  }

  private void work(MonitoredCollection collection, Tags tags) {
    for (String status : STATUSES) {
      gauge(
          collection,
          "kvshift.tasks",
          null,
          "Tasks by their status",
          figures ->
              figures.reading().collection().tasks().stream()
                  .filter(task -> task.status().equals(status))
                  .count(),
          tags.and("status", status));
    }
    gauge(
        collection,
        "kvshift.task.failures",
        null,
        "Failures in a row of the worst task",
        figures ->
            figures.reading().collection().tasks().stream()
                .mapToInt(HostStatus.Task::failures)
                .max()
                .orElse(0),
        tags);
    gauge(
        collection,
        "kvshift.fleet.instances",
        null,
        "Processes that use the collection",
        figures -> figures.reading().fleet().users().size(),
        tags);
    gauge(
        collection,
        "kvshift.fleet.not.ready",
        null,
        "Processes that cannot follow a step",
        figures -> figures.reading().fleet().users().size() - figures.reading().fleet().ready(),
        tags);
  }

  private void rows(
      MonitoredCollection collection, String what, ToLongFunction<CopyCounts> of, Tags tags) {
    FunctionCounter.builder(
            "kvshift.copy.rows." + what, collection, each -> of.applyAsLong(each.copied()))
        .description("Rows that the copy has " + what)
        .tags(tags)
        .register(registry);
  }

  private void gauge(
      MonitoredCollection collection,
      String name,
      @Nullable String unit,
      String description,
      ToDoubleFunction<Figures> of,
      Tags tags) {
    String full = unit == null ? name : name + "." + unit;
    Gauge.builder(full, collection, each -> each.figure(of))
        .description(description)
        .tags(tags)
        .register(registry);
  }

  static double secondsUntil(@Nullable Instant end) {
    return end == null ? Double.NaN : Duration.between(Instant.now(), end).toMillis() / 1e3;
  }
}
