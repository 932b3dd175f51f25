package dev.kvshift.migrate.api;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The tasks of a collection that people ask hosts for. */
public enum TaskKind {
  /** Opens the target, creates the topic, and fixes the start of the stream. */
  PREPARE,
  /** Streams and applies for as long as the collection migrates; one host at a time leads. */
  LEAD,
  /** Copies in parts that all hosts share, and waits until what changed meanwhile is applied. */
  COPY,
  /** Compares both stores. */
  VERIFY,
  /** Takes the collection to a phase before new-only, forward or back. */
  STEP,
  /** Hands the collection over, by a fence or by a seal. */
  CUTOVER,
  /** Asks for one of the others after the other, until the collection is ready or has moved. */
  RUN;

  /** Returns the kind in lower case. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns the kind of a word. */
  public static Optional<TaskKind> of(String word) {
    return Arrays.stream(values()).filter(kind -> kind.word().equals(word)).findFirst();
  }
}
