package dev.kvshift.legacy.server;

import picocli.CommandLine;

/**
 * The legacy server as a program: {@code serve --data DIR --port PORT}. Prints {@code legacy server
 * ready on HOST:PORT} once it answers, and stops cleanly on SIGTERM.
 */
public final class LegacyServer {
  private static final String LOG_SETTING = "logback.configurationFile";

  private LegacyServer() {}

  /** Runs the command line and exits with its code. */
  public static void main(String... arguments) {
    if (System.getProperty(LOG_SETTING) == null) {
      System.setProperty(LOG_SETTING, "dev/kvshift/legacy/server/logback.xml");
    }
    System.exit(new CommandLine(new LegacyCommand()).execute(arguments));
  }
}
