package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.migrate.api.TaskKind;

/**
 * A task of a collection that somebody has asked for. Ledger key {@code task/KIND}. The parts of
 * the copy are records of their own: {@link CopyTaskGroup}.
 *
 * @param state who works on it
 * @param done the amount that is done, for people; in rows
 * @param total the whole amount, as far as it is known; 0 if it is not
 */
public record TaskRecord(TaskState state, long done, long total)
    implements SharedRecord<TaskRecord> {
  /** The key of all tasks. */
  public static final LedgerKey<TaskRecord> ALL =
      new LedgerKey<>("task/", TaskRecord::print, TaskRecord::parse);

  /** A task that nobody has taken yet. */
  public static final TaskRecord WANTED = new TaskRecord(TaskState.WANTED, 0, 0);

  /** Returns the key of a task. */
  public static LedgerKey<TaskRecord> key(TaskKind kind) {
    return ALL.in(kind.word());
  }

  @Override
  public TaskRecord with(TaskState next) {
    return new TaskRecord(next, done, total);
  }

  private Members print() {
    return new Members().with("state", state.print()).with("done", done).with("total", total);
  }

  private static TaskRecord parse(Members members) {
    return new TaskRecord(
        TaskState.parse(members.object("state")), members.number("done"), members.number("total"));
  }
}
