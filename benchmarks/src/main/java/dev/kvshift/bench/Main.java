package dev.kvshift.bench;

/** The entry point of {@code ./check bench}. */
final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(BenchCommand.commandLine().execute(args));
  }
}
