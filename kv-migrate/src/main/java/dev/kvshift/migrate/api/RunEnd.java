package dev.kvshift.migrate.api;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The end of a run that hosts were asked for. */
public enum RunEnd {
  /** Before the point of no return: ready for the cutover. */
  READY("ends before the cutover"),
  /** After a cutover that keeps a way back. */
  WAY_BACK("ends with the cutover, which keeps a way back"),
  /** After a cutover for good. */
  FINAL("ends with the cutover, for good");

  private final String text;

  RunEnd(String text) {
    this.text = text;
  }

  /** Returns whether the collection is handed over. */
  public boolean isMoved() {
    return this != READY;
  }

  /** Returns the name for records: {@code way-back}. */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Returns the end for people, as the second half of a sentence about a run. */
  public String text() {
    return text;
  }

  /** Returns the end of that name; empty if there is none. */
  public static Optional<RunEnd> of(String word) {
    return Arrays.stream(values()).filter(end -> end.word().equals(word)).findFirst();
  }
}
