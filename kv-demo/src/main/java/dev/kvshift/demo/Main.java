package dev.kvshift.demo;

import picocli.CommandLine;

/** The entry point of {@code ./kv demo} and {@code ./kv up}. */
final class Main {
  private Main() {}

  public static void main(String[] args) {
    CommandLine line = new CommandLine(new DemoCommand.Root());
    System.exit(line.setExecutionExceptionHandler(DemoCommand::report).execute(args));
  }
}
