package dev.kvshift.migrate.api;

/**
 * Why a migration stopped although its stores and its broker answer. What was done stays; a new run
 * goes on from there. Failures of a store stay what they are, {@link dev.kvshift.api.KvException}.
 */
@SuppressWarnings("serial")
public abstract sealed class MigrationException extends RuntimeException {
  private MigrationException(String message) {
    super(message);
  }

  /** The stores hold different entries; nothing was moved. */
  public static final class Mismatch extends MigrationException {
    private final VerifyReport report;

    public Mismatch(String message, VerifyReport report) {
      super(message);
      this.report = report;
    }

    /** Returns what differs. */
    public VerifyReport report() {
      return report;
    }
  }

  /** The cutover's conditions do not hold; the fence, if it stood, was lifted. */
  public static final class CutoverRefused extends MigrationException {
    public CutoverRefused(String message) {
      super(message);
    }
  }

  /** More rows were rejected than the options allow, or rows are not accounted for. */
  public static final class TooManyErrors extends MigrationException {
    public TooManyErrors(String message) {
      super(message);
    }
  }
}
