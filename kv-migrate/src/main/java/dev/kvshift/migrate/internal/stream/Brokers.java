package dev.kvshift.migrate.internal.stream;

import com.google.common.base.Throwables;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.KafkaProperties;
import dev.kvshift.migrate.internal.context.Await;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;

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

  /**
   * Returns a client for topics and groups, to be closed by the caller.
   *
   * @param timeout how long it waits for an answer
   * @throws KvException.Permanent if the addresses or the properties are wrong
   */
  public Admin admin(Duration timeout) {
    Map<String, Object> settings = settings();
    int millis = Math.toIntExact(timeout.toMillis());
    settings.put("default.api.timeout.ms", millis);
    settings.put("request.timeout.ms", millis);
    try {
      return Admin.create(settings);
    } catch (KafkaException e) {
      if (String.valueOf(Throwables.getRootCause(e).getMessage()).contains("No resolvable")) {
        throw new KvException.Permanent(
            "no host of '"
                + servers
                + "' is known here: check the names in 'bootstrap' of the configuration",
            e);
      }
      if (!properties.equals(KafkaProperties.NONE)) {
        throw new KvException.Permanent(
            "Kafka's client refuses the addresses '"
                + servers
                + "' or the properties of the connection: check the member 'kafka' of the"
                + " configuration",
            e);
      }
      throw new KvException.Permanent(
          "'" + servers + "' is not a list of brokers: give HOST:PORT,…", e);
    }
  }

  /**
   * Returns the number of brokers.
   *
   * @throws KvException.Transient if none answers
   */
  public int count(Duration timeout) {
    try (Admin admin = admin(timeout)) {
      return admin.describeCluster().nodes().get().size();
    } catch (InterruptedException e) {
      throw Await.interrupted(e);
    } catch (ExecutionException e) {
      throw new KvException.Transient(
          "the broker at "
              + servers
              + " does not answer: "
              + e.getCause().getMessage()
              + "; check it, or the member 'kafka' of the configuration",
          e.getCause());
    }
  }

  @Override
  public String toString() {
    return servers;
  }
}
