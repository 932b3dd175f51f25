package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.transition.LockMove;

/** The exit codes of all commands; {@code docs/runner.md} explains them. */
final class ExitCode {
  static final int OK = 0;
  static final int INTERNAL = 1;
  static final int USAGE = 2;
  static final int REJECTS = 3;
  static final int TOO_MANY_ERRORS = 4;
  static final int MISMATCH = 5;
  static final int REFUSED = 6;
  static final int UNAVAILABLE = 7;
  static final int TASK_FAILED = 8;
  static final int ABSENT = 9;
  static final int INTERRUPTED = 130;

  private ExitCode() {}

  static int of(Exception failure) {
    if (failure instanceof MigrationException.Mismatch) {
      return MISMATCH;
    }
    if (failure instanceof MigrationException.CutoverRefused
        || failure instanceof LockMove.NotSafe) {
      return REFUSED;
    }
    if (failure instanceof MigrationException.TooManyErrors) {
      return TOO_MANY_ERRORS;
    }
    if (failure instanceof KvException.Transient || failure instanceof KvException.UnknownOutcome) {
      return UNAVAILABLE;
    }
    return failure instanceof KvException || failure instanceof IllegalArgumentException
        ? USAGE
        : INTERNAL;
  }
}
