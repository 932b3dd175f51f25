package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.Failure;
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
  static final int LEFT = 8;
  static final int ABSENT = 9;
  static final int INTERRUPTED = 130;

  private ExitCode() {}

  static int of(Exception failure) {
    return failure instanceof LockMove.NotSafe ? REFUSED : of(Failure.of(failure));
  }

  /** Returns the code of a failure, whether this process has met it or a host. */
  static int of(Failure failure) {
    return switch (failure) {
      case REFUSED -> REFUSED;
      case MISMATCH -> MISMATCH;
      case TOO_MANY_ERRORS -> TOO_MANY_ERRORS;
      case UNAVAILABLE -> UNAVAILABLE;
      case WRONG -> USAGE;
      case INTERNAL -> INTERNAL;
    };
  }
}
