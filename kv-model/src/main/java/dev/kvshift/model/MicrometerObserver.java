package dev.kvshift.model;

import dev.kvshift.api.KvObserver;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An observer that records the metrics of a store's operations in a Micrometer registry. Needs
 * micrometer-core on the class path. Safe for use by many threads.
 *
 * <p>It registers these meters, the first three per collection, operation and result:
 *
 * <ul>
 *   <li>{@code kv.operation}, a timer ({@code kv_operation_seconds} in Prometheus)
 *   <li>{@code kv.operation.bytes}, a summary of the bytes of clustering keys and values in
 *       successful operations ({@code kv_operation_bytes})
 *   <li>{@code kv.operation.entries}, a counter of the entries in successful operations ({@code
 *       kv_operation_entries_total})
 *   <li>{@code kv.server.warnings}, a counter of the servers' warnings per concern ({@code
 *       kv_server_warnings_total})
 *   <li>{@code kv.events}, a counter of events per kind, detail and collection ({@code
 *       kv_events_total}): changes of phase, writes that failed at a fence, measurements of the
 *       clock, and what happens between the two sides of {@code transition://}
 *   <li>{@code kv.side.answers}, a timer of the requests to each side while a phase uses both
 *       ({@code kv_side_answers_seconds})
 *   <li>{@code kv.clock.skew}, a timer of the measured differences to a server's clock ({@code
 *       kv_clock_skew_seconds})
 * </ul>
 *
 * <p>The number of meters is bounded by the number of collections times four operations times nine
 * results.
 */
public final class MicrometerObserver implements KvObserver {
  private final MeterRegistry registry;
  private final Map<Kind, Meters> meters = new ConcurrentHashMap<>();
  private final Map<Side, Timer> sides = new ConcurrentHashMap<>();
  private final Map<Concern, Counter> warnings = new EnumMap<>(Concern.class);

  /** Creates an observer. It registers the meters of warnings at once, others when needed. */
  public MicrometerObserver(MeterRegistry registry) {
    this.registry = Objects.requireNonNull(registry, "registry");
    for (Concern concern : Concern.values()) {
      warnings.put(
          concern,
          Counter.builder("kv.server.warnings")
              .description("Warnings of the servers")
              .tag("concern", concern.name().toLowerCase(Locale.ROOT))
              .register(registry));
    }
  }

  private record Kind(String collection, Operation operation, Result result) {}

  private record Side(String collection, String name) {}

  private record Meters(Timer timer, DistributionSummary bytes, Counter entries) {}

  @Override
  public Ending begin(Start start) {
    return this::ended;
  }

  private void ended(Observation observation) {
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

  @Override
  public void happened(Event event) {
    String collection = Objects.requireNonNullElse(event.collection(), "");
    Duration duration = event.duration();
    if (event.kind() == Event.Kind.SIDE_ANSWER && duration != null) {
      sideTimer(new Side(collection, event.detail())).record(duration);
      return;
    }
    registry
        .counter(
            "kv.events",
            "kind",
            event.kind().name().toLowerCase(Locale.ROOT),
            "detail",
            event.detail(),
            "collection",
            collection)
        .increment();
    if (event.kind() == Event.Kind.SKEW && duration != null) {
      registry.timer("kv.clock.skew").record(duration);
    }
  }

  /** Cached, since there is one such event per request and the registry's look-up is slow. */
  private Timer sideTimer(Side side) {
    Timer known = sides.get(side);
    return known != null
        ? known
        : sides.computeIfAbsent(
            side,
            added ->
                Timer.builder("kv.side.answers")
                    .description("Duration of the requests to one side of a transition store")
                    .tags(Tags.of("side", added.name(), "collection", added.collection()))
                    .register(registry));
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
            .description("Duration of operations")
            .tags(tags)
            .register(registry),
        DistributionSummary.builder("kv.operation.bytes")
            .description("Bytes of clustering keys and values, written or read")
            .baseUnit("bytes")
            .tags(tags)
            .register(registry),
        Counter.builder("kv.operation.entries")
            .description("Entries written or read")
            .tags(tags)
            .register(registry));
  }
}
