package dev.kvshift.model;

import dev.kvshift.api.KvObserver;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps the metrics of a store's operations in a Micrometer registry. Needs micrometer-core on the
 * class path. Safe for use by many threads.
 *
 * <p>Per collection, operation and result: {@code kv.operation} (a timer), {@code
 * kv.operation.bytes} (a summary of clustering keys and values, of successful ones) and {@code
 * kv.operation.entries} (a counter); to Prometheus {@code kv_operation_seconds}, {@code
 * kv_operation_bytes} and {@code kv_operation_entries_total}. So many meters as there are
 * collections, times four operations, times seven results at most. What servers warn of is counted
 * in {@code kv.server.warnings}, by concern.
 */
public final class MicrometerObserver implements KvObserver {
  private final MeterRegistry registry;
  private final Map<Kind, Meters> meters = new ConcurrentHashMap<>();
  private final Map<Concern, Counter> warnings = new EnumMap<>(Concern.class);

  /** Makes an observer that registers meters as it needs them; those of warnings at once. */
  public MicrometerObserver(MeterRegistry registry) {
    this.registry = Objects.requireNonNull(registry, "registry");
    for (Concern concern : Concern.values()) {
      warnings.put(
          concern,
          Counter.builder("kv.server.warnings")
              .description("Warnings that servers gave")
              .tag("concern", concern.name().toLowerCase(Locale.ROOT))
              .register(registry));
    }
  }

  private record Kind(String collection, Operation operation, Result result) {}

  private record Meters(Timer timer, DistributionSummary bytes, Counter entries) {}

  @Override
  public void observe(Observation observation) {
    Kind kind = new Kind(observation.collection(), observation.operation(), observation.result());
    Meters found = meters.get(kind);
    if (found == null) {
      found = meters.computeIfAbsent(kind, this::register);
    }
    found.timer().record(observation.duration());
    if (observation.result() == Result.OK) {
      found.bytes().record((double) observation.bytes());
      found.entries().increment(observation.entries());
    }
  }

  @Override
  public void warned(Warning warning) {
    Objects.requireNonNull(warnings.get(warning.concern())).increment();
  }

  private Meters register(Kind kind) {
    Tags tags =
        Tags.of(
            "collection",
            kind.collection(),
            "operation",
            kind.operation().name().toLowerCase(Locale.ROOT),
            "result",
            kind.result().name().toLowerCase(Locale.ROOT));
    return new Meters(
        Timer.builder("kv.operation")
            .description("How long operations took, from the call to their end")
            .tags(tags)
            .register(registry),
        DistributionSummary.builder("kv.operation.bytes")
            .description("Bytes of clustering keys and values, given or got")
            .baseUnit("bytes")
            .tags(tags)
            .register(registry),
        Counter.builder("kv.operation.entries")
            .description("Entries given or got")
            .tags(tags)
            .register(registry));
  }
}
