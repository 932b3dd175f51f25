package dev.kvshift.demo;

/** The entry point of {@code ./kv demo}, {@code ./kv up} and {@code ./kv init}. */
final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(DemoCommand.commandLine().execute(args));
  }
}
