package dev.kvshift.migrate.api;

import java.util.Locale;

/** A part of a migration, in the order of the fence way. */
public enum Step {
  /** Opens the target, its record and the topic, and fixes where the stream begins. */
  PREPARE,
  /** Follows the source's changes into the topic. */
  STREAM,
  /** Scans the source and writes every row to the target. */
  COPY,
  /** Applies the topic's changes to the target. */
  APPLY,
  /** Compares both stores. */
  VERIFY,
  /** Fences the writers, drains the topic and hands the collection over. */
  CUTOVER;

  /** Returns the word that people and programs read: {@code prepare}, {@code stream} and so on. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
