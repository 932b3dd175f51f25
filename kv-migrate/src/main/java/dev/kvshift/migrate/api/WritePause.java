package dev.kvshift.migrate.api;

import java.time.Duration;

/**
 * The parts of a cutover during which writers wait at the fence.
 *
 * @param fenced from the request for the fence until it was in place
 * @param drained until every change before the fence was applied
 * @param tailChecked until the last changed keys were verified on the target
 * @param moved until the source had handed the collection over
 */
public record WritePause(Duration fenced, Duration drained, Duration tailChecked, Duration moved) {
  /** No pause. */
  public static final WritePause NONE =
      new WritePause(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO);

  /**
   * Returns the sum of the parts. A writer waits for the longer of this and the clock margin above
   * the floor.
   */
  public Duration total() {
    return fenced.plus(drained).plus(tailChecked).plus(moved);
  }
}
