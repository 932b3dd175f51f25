package dev.kvshift.examples;

import dev.kvshift.api.KvException;

/** The service as a program. SIGTERM drains it. */
public final class Main {
  private static final int USAGE = 2;
  private static final int UNAVAILABLE = 7;

  private Main() {}

  /** Serves until it is terminated. Its settings are those of {@link Configuration}. */
  public static void main(String[] args) {
    // Without it, each answer on a kept connection waits for a delayed acknowledgement: 40 ms.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    // In seconds, so that a caller that sends or reads slowly does not hold a thread forever.
    System.setProperty("sun.net.httpserver.maxReqTime", "30");
    System.setProperty("sun.net.httpserver.maxRspTime", "60");
    try {
      OrderServer server = OrderServer.start(Configuration.of(System.getenv()));
      Runtime.getRuntime().addShutdownHook(new Thread(server::close, "drain"));
    } catch (KvException.Transient e) {
      fail(UNAVAILABLE, e);
    } catch (IllegalArgumentException | KvException e) {
      fail(USAGE, e);
    }
  }

  private static void fail(int exitCode, RuntimeException error) {
    System.err.println("orders: " + error.getMessage());
    System.exit(exitCode);
  }
}
