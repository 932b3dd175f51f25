package dev.kvshift.migrate.internal.ledger;

/**
 * A record of a task that processes share.
 *
 * @param <T> the record itself
 */
public interface SharedRecord<T extends SharedRecord<T>> {
  /** Returns who works on the task. */
  TaskState state();

  /** Returns the record with another state. */
  T with(TaskState next);
}
