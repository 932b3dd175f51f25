package dev.kvshift.migrate.internal.copy;

import dev.kvshift.migrate.internal.ledger.CopyPlan;
import dev.kvshift.migrate.internal.ledger.Ledger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Determines whether the copy is done, even if another process copies. Cheap enough to be asked
 * every second: tasks that are done stay done, so only the first group with an open task is read.
 * Used by one thread.
 */
public final class CopyCompletion implements BooleanSupplier {
  private final Ledger ledger;
  private @Nullable CopyPlan plan;
  private int doneGroups;

  /** Creates a check that has read nothing yet. */
  public CopyCompletion(Ledger ledger) {
    this.ledger = ledger;
  }

  /** Returns whether every task is planned and done. */
  @Override
  public boolean getAsBoolean() {
    if (plan == null) {
      plan = ledger.get(CopyPlan.KEY);
    }
    if (plan == null) {
      return false;
    }
    int groups = plan.parts();
    while (doneGroups < groups && ledger.require(plan.part(doneGroups)).isDone()) {
      doneGroups++;
    }
    return doneGroups == groups;
  }
}
