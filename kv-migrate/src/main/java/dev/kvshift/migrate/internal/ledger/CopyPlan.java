package dev.kvshift.migrate.internal.ledger;

import java.util.Locale;

/**
 * The plan of the copy, written after its parts. Ledger key {@code copy}. The parts carry the
 * plan's id in their names: of two processes that plan at once, one plan counts, with its own parts
 * only. Parts of both, mixed, could leave a gap between their ranges.
 *
 * @param id the random name of the plan; empty in records of versions that gave it none
 * @param tasks number of scan tasks
 * @param tasksPerPart number of scan tasks in each part but the last, which may have fewer
 */
public record CopyPlan(String id, int tasks, int tasksPerPart) {
  /** The key of the record. */
  public static final LedgerKey<CopyPlan> KEY =
      new LedgerKey<>("copy", CopyPlan::print, CopyPlan::parse)
          .withNewerFormat(2, plan -> !plan.id.isEmpty());

  /** The size of parts in plans of format 1, and the limit of a record's size. */
  private static final int MAX_TASKS_PER_PART = 16;

  /** The number of parts up to which each part is one scan task. */
  private static final int SMALL_PARTS = 64;

  /** Creates a plan of format 1. */
  CopyPlan(int tasks) {
    this("", tasks, MAX_TASKS_PER_PART);
  }

  /** Returns the plan of so many scan tasks: at least 64 parts, if there are as many tasks. */
  public static CopyPlan of(String id, int tasks) {
    return new CopyPlan(id, tasks, Math.max(1, Math.min(MAX_TASKS_PER_PART, tasks / SMALL_PARTS)));
  }

  /** Returns the number of parts. */
  public int parts() {
    return (tasks + tasksPerPart - 1) / tasksPerPart;
  }

  /** Returns the key of all parts. */
  public LedgerKey<CopyTaskGroup> allParts() {
    return id.isEmpty() ? CopyTaskGroup.GROUPS : CopyTaskGroup.GROUPS.in(id + "/");
  }

  /** Returns the key of a part. */
  public LedgerKey<CopyTaskGroup> part(int number) {
    return allParts().in(String.format(Locale.ROOT, "%05d", number));
  }

  private Members print() {
    Members members = new Members().with("tasks", tasks);
    return id.isEmpty() ? members : members.with("id", id).with("tasksPerPart", tasksPerPart);
  }

  private static CopyPlan parse(Members members) {
    if (!members.has("id")) {
      return new CopyPlan(members.count("tasks"));
    }
    int perPart = members.count("tasksPerPart");
    if (perPart < 1 || perPart > MAX_TASKS_PER_PART) {
      throw new IllegalArgumentException("tasksPerPart " + perPart);
    }
    return new CopyPlan(members.text("id"), members.count("tasks"), perPart);
  }
}
