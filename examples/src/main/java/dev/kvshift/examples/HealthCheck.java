package dev.kvshift.examples;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;
import java.util.Map;

/** Asks the service in the same container whether it is alive: the image has no HTTP client. */
public final class HealthCheck {
  private static final int TIMEOUT_MILLIS = 2_000;

  private HealthCheck() {}

  /** Exits with 0 if the service is alive, and with 1 otherwise. */
  public static void main(String[] args) {
    System.exit(isAlive(System.getenv()) ? 0 : 1);
  }

  static boolean isAlive(Map<String, String> environment) {
    String port = environment.getOrDefault(Configuration.PORT, "");
    try {
      URL url = new URL("http://" + Configuration.LOOPBACK + ":" + port + "/health/live");
      HttpURLConnection connection = (HttpURLConnection) url.openConnection();
      connection.setConnectTimeout(TIMEOUT_MILLIS);
      connection.setReadTimeout(TIMEOUT_MILLIS);
      return connection.getResponseCode() == Answer.OK;
    } catch (IOException e) {
      return false;
    }
  }
}
