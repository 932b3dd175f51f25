package dev.kvshift.fuzz;

/** The class that the fuzzer calls, in a process of its own for each target. */
public final class FuzzEntry {
  static final String TARGET = "kvshift.fuzz.target";
  private static final FuzzTarget FUZZED = FuzzTargets.named(System.getProperty(TARGET, ""));

  private FuzzEntry() {}

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    FUZZED.feed(input);
  }
}
