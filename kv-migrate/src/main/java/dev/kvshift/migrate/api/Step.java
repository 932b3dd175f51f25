package dev.kvshift.migrate.api;

import java.util.Locale;

/** A step of a migration, in the order of a run. */
public enum Step {
  /** Opens the target, creates the topic and fixes the position at which the stream begins. */
  PREPARE,
  /** Sends the source's changes to the topic. */
  STREAM,
  /** Scans the source and writes every row to the target. */
  COPY,
  /** Copies and compares the rows of listed main keys. */
  BACKFILL,
  /** Applies the topic's changes to the target. */
  APPLY,
  /** Compares both stores. */
  VERIFY,
  /** Takes the collection to a phase of the dual-write cutover. */
  PHASE,
  /** Stops the source by a fence or a seal, drains the topic and hands the collection over. */
  CUTOVER;

  /** Returns the step's name for people and programs: {@code prepare}, {@code stream}, … */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
