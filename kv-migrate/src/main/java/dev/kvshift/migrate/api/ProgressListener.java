package dev.kvshift.migrate.api;

/**
 * Told how a migration gets on: when a step begins, about once a second, and when it ends.
 *
 * <p>Called by several threads, also at the same time; implementations are quick and throw nothing.
 */
public interface ProgressListener {
  /** A listener that does nothing. */
  ProgressListener NONE = event -> {};

  /** Takes note of an event. */
  void report(Event event);

  /**
   * How far a step has come.
   *
   * @param collection the collection's name
   * @param step what is being done
   * @param done how much is done, in {@code unit}
   * @param total how much there is in all, as far as is known; −1 where it is not
   * @param unit what is counted, such as {@code rows}
   * @param perSecond how much was done in each second since the step began
   * @param state whether the step begins, goes on or has ended
   */
  record Event(
      String collection,
      Step step,
      long done,
      long total,
      String unit,
      double perSecond,
      State state) {}

  /** Where a step is. */
  enum State {
    BEGUN,
    RUNNING,
    ENDED
  }
}
