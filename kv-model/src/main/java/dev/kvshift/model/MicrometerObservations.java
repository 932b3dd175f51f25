package dev.kvshift.model;

import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import io.micrometer.observation.ObservationRegistry;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An observer that makes a Micrometer observation of each operation, from which the registry's
 * handlers make traces, metrics or logs. Needs micrometer-observation on the class path. Safe for
 * use by many threads.
 *
 * <p>An observation named {@code kv.operation} starts on the caller's thread, so that its parent is
 * the observation that is current there, and stops when the operation ends, with its error. It has
 * the low-cardinality keys {@code operation}, {@code collection} and {@code result}. Events are
 * observations named {@code kv.event}, which stop at once, with the keys {@code kind} and {@code
 * detail}.
 *
 * <p>Keys and values of entries never become part of an observation.
 */
public final class MicrometerObservations implements KvObserver {
  private final ObservationRegistry registry;

  /** Creates an observer that reports to a registry. */
  public MicrometerObservations(ObservationRegistry registry) {
    this.registry = Objects.requireNonNull(registry, "registry");
  }

  @Override
  public Ending begin(Start start) {
    io.micrometer.observation.Observation observation =
        io.micrometer.observation.Observation.createNotStarted("kv.operation", registry)
            .contextualName(word(start.operation()) + " " + start.collection())
            .lowCardinalityKeyValue("operation", word(start.operation()))
            .lowCardinalityKeyValue("collection", start.collection())
            .start();
    return end ->
        stop(observation.lowCardinalityKeyValue("result", word(end.result())), end.error());
  }

  @Override
  public void happened(Event event) {
    stop(
        io.micrometer.observation.Observation.createNotStarted("kv.event", registry)
            .lowCardinalityKeyValue("kind", word(event.kind()))
            .lowCardinalityKeyValue("detail", event.detail())
            .lowCardinalityKeyValue(
                "collection", Objects.requireNonNullElse(event.collection(), ""))
            .start(),
        event.error());
  }

  private static void stop(
      io.micrometer.observation.Observation observation, @Nullable KvException error) {
    if (error != null) {
      observation.error(error);
    }
    observation.stop();
  }

  private static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
