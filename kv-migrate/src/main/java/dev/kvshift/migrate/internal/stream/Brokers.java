package dev.kvshift.migrate.internal.stream;

import dev.kvshift.migrate.api.KafkaProperties;
import java.util.HashMap;
import java.util.Map;

/**
 * The brokers, and how to connect to them. Immutable.
 *
 * @param servers their addresses, as {@code HOST:PORT,…}
 * @param properties TLS and authentication
 */
public record Brokers(String servers, KafkaProperties properties) {
  /** Returns brokers that need neither TLS nor authentication. */
  public static Brokers plain(String servers) {
    return new Brokers(servers, KafkaProperties.NONE);
  }

  /** Returns settings of a client, to be completed by those that a migration relies on. */
  public Map<String, Object> settings() {
    Map<String, Object> settings = new HashMap<>(properties.asMap());
    settings.put("bootstrap.servers", servers);
    settings.put("enable.metrics.push", "false");
    return settings;
  }

  @Override
  public String toString() {
    return servers;
  }
}
