package dev.kvshift.migrate.cli;

/** The runner's main class. */
public final class Main {
  private Main() {}

  /** Runs a command and ends the process with its exit code. */
  public static void main(String[] args) {
    System.exit(MigrateCommand.execute(args));
  }
}
