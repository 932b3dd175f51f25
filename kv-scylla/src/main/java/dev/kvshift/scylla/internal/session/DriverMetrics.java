package dev.kvshift.scylla.internal.session;

import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import com.datastax.oss.driver.api.core.metrics.DefaultNodeMetric;
import com.datastax.oss.driver.api.core.metrics.DefaultSessionMetric;
import com.datastax.oss.driver.internal.metrics.micrometer.MicrometerMetricsFactory;
import dev.kvshift.api.KvException;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Metrics;
import java.util.List;
import java.util.stream.Stream;

/**
 * The native driver's own metrics, in Micrometer's global registry. Its dependencies are optional,
 * so this class is loaded only if metrics are enabled.
 */
final class DriverMetrics {
  private static final String PREFIX = "kv.driver";

  private static final List<String> SESSION =
      Stream.of(
              DefaultSessionMetric.CONNECTED_NODES,
              DefaultSessionMetric.CQL_REQUESTS,
              DefaultSessionMetric.CQL_CLIENT_TIMEOUTS,
              DefaultSessionMetric.THROTTLING_DELAY,
              DefaultSessionMetric.THROTTLING_QUEUE_SIZE,
              DefaultSessionMetric.THROTTLING_ERRORS)
          .map(DefaultSessionMetric::getPath)
          .toList();

  private static final List<String> NODE =
      Stream.of(
              DefaultNodeMetric.OPEN_CONNECTIONS,
              DefaultNodeMetric.IN_FLIGHT,
              DefaultNodeMetric.BYTES_SENT,
              DefaultNodeMetric.BYTES_RECEIVED,
              DefaultNodeMetric.UNSENT_REQUESTS,
              DefaultNodeMetric.ABORTED_REQUESTS,
              DefaultNodeMetric.READ_TIMEOUTS,
              DefaultNodeMetric.WRITE_TIMEOUTS,
              DefaultNodeMetric.UNAVAILABLES,
              DefaultNodeMetric.OTHER_ERRORS,
              DefaultNodeMetric.RETRIES,
              DefaultNodeMetric.CONNECTION_INIT_ERRORS)
          .map(DefaultNodeMetric::getPath)
          .toList();

  private DriverMetrics() {}

  static void enable(OptionsMap options) {
    options.put(TypedDriverOption.METRICS_FACTORY_CLASS, factory());
    options.put(TypedDriverOption.METRICS_ID_GENERATOR_CLASS, "TaggingMetricIdGenerator");
    options.put(TypedDriverOption.METRICS_ID_GENERATOR_PREFIX, PREFIX);
    options.put(TypedDriverOption.METRICS_SESSION_ENABLED, SESSION);
    options.put(TypedDriverOption.METRICS_NODE_ENABLED, NODE);
  }

  static void forget(String session) {
    for (Meter meter : List.copyOf(Metrics.globalRegistry.getMeters())) {
      if (meter.getId().getName().startsWith(PREFIX)
          && session.equals(meter.getId().getTag("session"))) {
        Metrics.globalRegistry.remove(meter);
      }
    }
  }

  private static String factory() {
    try {
      Metrics.globalRegistry.getMeters();
      return MicrometerMetricsFactory.class.getName();
    } catch (NoClassDefFoundError e) {
      throw new KvException.Permanent(
          "scylla://: metrics=micrometer: a class is missing ("
              + e.getMessage()
              + "): add io.micrometer:micrometer-core and"
              + " org.apache.cassandra:java-driver-metrics-micrometer without the latter's"
              + " java-driver-core, or remove the parameter",
          e);
    }
  }
}
