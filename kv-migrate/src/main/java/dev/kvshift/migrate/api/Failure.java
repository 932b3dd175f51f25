package dev.kvshift.migrate.api;

import dev.kvshift.api.KvException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The kinds of failures, by what the caller can do. A command exits with one code for each. */
public enum Failure {
  /** A condition does not hold; nothing was moved. */
  REFUSED,
  /** The stores hold different entries. */
  MISMATCH,
  /** The target has rejected more rows than allowed, or rows are not accounted for. */
  TOO_MANY_ERRORS,
  /** A store or the broker did not answer: start again. */
  UNAVAILABLE,
  /** The input, or the state that was found, is wrong. */
  WRONG,
  /** A defect. */
  INTERNAL;

  /** Returns the kind of a failure. */
  public static Failure of(Throwable failure) {
    if (failure instanceof MigrationException.Mismatch) {
      return MISMATCH;
    }
    if (failure instanceof MigrationException.CutoverRefused) {
      return REFUSED;
    }
    if (failure instanceof MigrationException.TooManyErrors) {
      return TOO_MANY_ERRORS;
    }
    if (failure instanceof KvException.Transient || failure instanceof KvException.UnknownOutcome) {
      return UNAVAILABLE;
    }
    return failure instanceof KvException || failure instanceof IllegalArgumentException
        ? WRONG
        : INTERNAL;
  }

  /** Returns the kind in lower case, with hyphens. */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Returns the kind of a word. */
  public static Optional<Failure> of(String word) {
    return Arrays.stream(values()).filter(kind -> kind.word().equals(word)).findFirst();
  }
}
