package dev.kvshift.examples;

import java.util.Map;

/**
 * The configuration of the service, from its environment.
 *
 * @param store the connection string, which names its secrets by reference ({@code env:NAME} or
 *     {@code file:PATH}); may itself be such a reference
 * @param host the address to listen on
 * @param port the port to listen on; 0 for a free one
 */
public record Configuration(String store, String host, int port) {
  static final String STORE = "ORDERS_STORE";
  static final String HOST = "ORDERS_HOST";
  static final String PORT = "ORDERS_PORT";
  static final String LOOPBACK = "127.0.0.1";
  private static final int MAX_PORT = 65_535;

  /**
   * Reads the configuration.
   *
   * @throws IllegalArgumentException if a variable is missing or wrong; the message names it
   */
  public static Configuration of(Map<String, String> environment) {
    return new Configuration(
        required(environment, STORE),
        environment.getOrDefault(HOST, LOOPBACK),
        port(required(environment, PORT)));
  }

  private static String required(Map<String, String> environment, String name) {
    String value = environment.get(name);
    if (value == null || value.isBlank()) {
      throw new IllegalArgumentException(
          "the environment variable " + name + " is not set: set it");
    }
    return value;
  }

  private static int port(String text) {
    try {
      int port = Integer.parseInt(text);
      if (port >= 0 && port <= MAX_PORT) {
        return port;
      }
    } catch (NumberFormatException e) {
      // Reported below, as for a number out of range.
    }
    throw new IllegalArgumentException(PORT + " is '" + text + "': give 0 to " + MAX_PORT);
  }
}
