package dev.kvshift.migrate.internal.ledger;

/**
 * The plan of the copy, written after its tasks. Ledger key {@code copy}.
 *
 * @param tasks number of tasks
 */
public record CopyPlan(int tasks) {
  /** The key of the record. */
  public static final LedgerKey<CopyPlan> KEY =
      new LedgerKey<>(
          "copy",
          plan -> new Members().with("tasks", plan.tasks),
          members -> new CopyPlan(members.count("tasks")));
}
