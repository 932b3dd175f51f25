package dev.kvshift.migrate.api;

import dev.kvshift.api.KvException;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;

/**
 * The properties of the connection to Kafka beyond the addresses: TLS and authentication, in the
 * names of Kafka's clients. Immutable. {@link #toString} names the properties and shows no value,
 * since values may be secrets.
 *
 * <p>Only properties of the connection are accepted. A migration relies on the others, such as
 * {@code acks} and {@code isolation.level}, and sets them itself.
 */
public final class KafkaProperties {
  /** No properties: a connection without TLS and authentication. */
  public static final KafkaProperties NONE = new KafkaProperties(Map.of());

  private static final Set<String> ACCEPTED =
      Set.of("security.protocol", "client.dns.lookup", "client.rack");

  private final Map<String, String> values;

  private KafkaProperties(Map<String, String> values) {
    this.values = values;
  }

  /**
   * Returns properties.
   *
   * @throws KvException.Permanent if one of them is not a property of the connection, naming it
   */
  public static KafkaProperties of(Map<String, String> values) {
    Map<String, String> sorted = new TreeMap<>(values);
    for (String name : sorted.keySet()) {
      if (!ACCEPTED.contains(name) && !name.startsWith("ssl.") && !name.startsWith("sasl.")) {
        throw new KvException.Permanent(
            "the Kafka property "
                + name
                + " is not one of the connection: give security.protocol, ssl.*, sasl.*,"
                + " client.dns.lookup and client.rack only; the runner sets the others itself");
      }
    }
    return new KafkaProperties(sorted);
  }

  /**
   * Reads a properties file.
   *
   * @throws KvException.Permanent if it cannot be read, or holds a property that is not one of the
   *     connection
   */
  public static KafkaProperties read(Path file) {
    Properties read = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      read.load(reader);
    } catch (IOException | IllegalArgumentException e) {
      throw new KvException.Permanent(
          "the file of Kafka properties "
              + file
              + " cannot be read: give a properties file in UTF-8 that the runner may read",
          e);
    }
    Map<String, String> values = new TreeMap<>();
    read.stringPropertyNames().forEach(name -> values.put(name, read.getProperty(name)));
    return of(values);
  }

  /** Returns the properties by name. */
  public Map<String, String> asMap() {
    return Map.copyOf(values);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof KafkaProperties properties && properties.values.equals(values);
  }

  @Override
  public int hashCode() {
    return values.hashCode();
  }

  @Override
  public String toString() {
    return "KafkaProperties" + values.keySet();
  }
}
