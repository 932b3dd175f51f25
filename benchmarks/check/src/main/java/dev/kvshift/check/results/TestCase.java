package dev.kvshift.check.results;

/**
 * One test as a report names it.
 *
 * @param className the class that declares it, with {@code $} before a nested one
 * @param name the method, with parameters and number if it has any; empty if the class itself
 *     failed
 */
public record TestCase(String className, String name, Ending ending) {
  /** The way in which a test ended. */
  public enum Ending {
    PASSED,
    /** An assertion failed or an exception was thrown. */
    FAILED,
    SKIPPED
  }
}
