package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.migrate.api.CopyCounts;
import java.util.ArrayList;
import java.util.List;

/**
 * A part of the copy, which one process at a time copies: up to 16 scan tasks, and who works on
 * them. Ledger key {@code copy-tasks/PLAN/NNNNN}, where PLAN is the id of the plan, if it has one,
 * and NNNNN the number of the part. Position, counts and owner are one record, so a process that
 * has lost the part counts nothing in it.
 *
 * @param tasks the tasks, in their order
 * @param state who works on the part
 */
public record CopyTaskGroup(List<CopyTask> tasks, TaskState state)
    implements SharedRecord<CopyTaskGroup> {
  /** The key of all groups. */
  public static final LedgerKey<CopyTaskGroup> GROUPS =
      new LedgerKey<>("copy-tasks/", CopyTaskGroup::print, CopyTaskGroup::parse)
          .withNewerFormat(2, group -> !group.state.equals(TaskState.WANTED))
          .withNewerFormat(3, group -> group.counts().skipped().left().rows() != 0);

  /** Copies the list. */
  public CopyTaskGroup {
    tasks = List.copyOf(tasks);
  }

  /** Creates a part that nobody has taken yet. */
  public CopyTaskGroup(List<CopyTask> tasks) {
    this(tasks, TaskState.WANTED);
  }

  /** Returns whether all of the part is copied. */
  public boolean isDone() {
    return tasks.stream().allMatch(CopyTask::isDone);
  }

  /** Returns the accounting of the part so far. */
  public CopyCounts counts() {
    CopyCounts sum = CopyCounts.NONE;
    for (CopyTask task : tasks) {
      sum = sum.plus(task.counts());
    }
    return sum;
  }

  /** Returns the part with the progress of one of its tasks. */
  public CopyTaskGroup with(int number, CopyTask task) {
    List<CopyTask> next = new ArrayList<>(tasks);
    next.set(number, task);
    return new CopyTaskGroup(next, state);
  }

  @Override
  public CopyTaskGroup with(TaskState next) {
    return new CopyTaskGroup(tasks, next);
  }

  private Members print() {
    Members members =
        new Members().withObjects("tasks", tasks.stream().map(CopyTask::print).toList());
    return state.equals(TaskState.WANTED) ? members : members.with("state", state.print());
  }

  private static CopyTaskGroup parse(Members members) {
    return new CopyTaskGroup(
        members.objects("tasks").stream().map(CopyTask::parse).toList(),
        members.has("state") ? TaskState.parse(members.object("state")) : TaskState.WANTED);
  }
}
