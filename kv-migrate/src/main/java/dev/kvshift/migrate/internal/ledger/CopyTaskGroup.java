package dev.kvshift.migrate.internal.ledger;

import java.util.List;
import java.util.Locale;

/**
 * The progress of up to 16 tasks of the copy. Ledger key {@code copy-tasks/NNNNN}, where NNNNN is
 * the number of the group.
 *
 * @param tasks the tasks, in their order
 */
public record CopyTaskGroup(List<CopyTask> tasks) {
  /** The key of all groups. */
  public static final LedgerKey<CopyTaskGroup> GROUPS =
      new LedgerKey<>("copy-tasks/", CopyTaskGroup::print, CopyTaskGroup::parse);

  /** Copies the list. */
  public CopyTaskGroup {
    tasks = List.copyOf(tasks);
  }

  /** Returns the key of a group. */
  public static LedgerKey<CopyTaskGroup> key(int group) {
    return GROUPS.in(String.format(Locale.ROOT, "%05d", group));
  }

  private Members print() {
    return new Members().withObjects("tasks", tasks.stream().map(CopyTask::print).toList());
  }

  private static CopyTaskGroup parse(Members members) {
    return new CopyTaskGroup(members.objects("tasks").stream().map(CopyTask::parse).toList());
  }
}
