package dev.kvshift.check;

/** The entry point of {@code ./check}. */
final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(CheckCommand.commandLine(Checkout.current()).execute(args));
  }
}
