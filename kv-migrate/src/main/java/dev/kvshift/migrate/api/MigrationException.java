package dev.kvshift.migrate.api;

/**
 * The end of a migration although its stores and its broker answer. Finished work is kept, and a
 * new run resumes from there. Failures of a store or of the broker are {@link
 * dev.kvshift.api.KvException}s.
 */
@SuppressWarnings("serial")
public abstract sealed class MigrationException extends RuntimeException {
  private MigrationException(String message) {
    super(message);
  }

  /** The stores hold different entries; nothing was moved. */
  public static final class Mismatch extends MigrationException {
    private final VerifyReport report;

    /** Creates the exception with the differences. */
    public Mismatch(String message, VerifyReport report) {
      super(message);
      this.report = report;
    }

    /** Returns the differences. */
    public VerifyReport report() {
      return report;
    }
  }

  /** A condition of the cutover does not hold. No fence is left in place. */
  public static final class CutoverRefused extends MigrationException {
    /** Creates the exception. */
    public CutoverRefused(String message) {
      super(message);
    }
  }

  /** The target rejected more rows than allowed, or rows are not accounted for. */
  public static final class TooManyErrors extends MigrationException {
    /** Creates the exception. */
    public TooManyErrors(String message) {
      super(message);
    }
  }
}
