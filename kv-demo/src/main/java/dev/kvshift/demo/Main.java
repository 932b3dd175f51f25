package dev.kvshift.demo;

/** The entry point of {@code ./kv demo} and {@code ./kv up}. */
final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(DemoCommand.commandLine().execute(args));
  }
}
