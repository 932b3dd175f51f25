package dev.kvshift.migrate.internal.ledger;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** The machine that this process runs on, and the user who runs it. */
public final class Machine {
  private Machine() {}

  /** Returns the user's name, or {@code unknown}. */
  public static String user() {
    return System.getProperty("user.name", "unknown");
  }

  /** Returns the machine's name, or {@code unknown}. */
  public static String name() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown";
    }
  }
}
