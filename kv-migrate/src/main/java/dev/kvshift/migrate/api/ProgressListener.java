package dev.kvshift.migrate.api;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Receives the progress of a migration: when a step begins, about once a second, when there is news
 * of it, and when it ends.
 *
 * <p>Called by several threads, also at the same time. Implementations return quickly and throw
 * nothing.
 */
public interface ProgressListener {
  /** A listener that does nothing. */
  ProgressListener NONE = event -> {};

  /** Receives an event. */
  void report(Event event);

  /**
   * The progress of one step.
   *
   * @param collection the collection's name
   * @param step the step
   * @param done how much is done, in {@code unit}
   * @param total how much there is, in {@code unit}, or empty if unknown
   * @param unit the counted things, in the plural, such as {@code rows}
   * @param perSecond rate over the last half minute, in {@code unit} per second; 0 at the beginning
   * @param state whether the step begins, runs or has ended
   * @param note news of the step, such as what it waits for and for whom; null for none
   */
  record Event(
      String collection,
      Step step,
      long done,
      OptionalLong total,
      String unit,
      double perSecond,
      State state,
      @Nullable String note) {}

  /** The state of a step. */
  enum State {
    BEGUN,
    RUNNING,
    ENDED
  }
}
