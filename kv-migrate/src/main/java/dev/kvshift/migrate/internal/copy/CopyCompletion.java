package dev.kvshift.migrate.internal.copy;

import dev.kvshift.migrate.api.CopyCounts.LeftToExpire;
import dev.kvshift.migrate.internal.ledger.CopyPlan;
import dev.kvshift.migrate.internal.ledger.CopyTaskGroup;
import dev.kvshift.migrate.internal.ledger.Ledger;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Determines whether the copy is done, even if another process copies. Cheap enough to be asked
 * every second: tasks that are done stay done, so only the first group with an open task is read.
 * Used by one thread.
 */
public final class CopyCompletion implements BooleanSupplier {
  private final Ledger ledger;
  private final Supplier<Instant> expiredBefore;
  private @Nullable CopyPlan plan;
  private int doneGroups;
  private LeftToExpire left = LeftToExpire.NONE;

  /**
   * Creates a check that has read nothing yet.
   *
   * @param expiredBefore the time before which a row must have expired to be dead on both stores
   */
  public CopyCompletion(Ledger ledger, Supplier<Instant> expiredBefore) {
    this.ledger = ledger;
    this.expiredBefore = expiredBefore;
  }

  /**
   * Returns whether the target has every row that was not changed since it was copied: every task
   * is done, and the rows that were left have expired.
   */
  @Override
  public boolean getAsBoolean() {
    return isDone() && left.isGoneBy(expiredBefore.get());
  }

  /** Returns whether every task is planned and done. */
  public boolean isDone() {
    if (plan == null) {
      plan = ledger.get(CopyPlan.KEY);
    }
    if (plan == null) {
      return false;
    }
    int groups = plan.parts();
    while (doneGroups < groups) {
      CopyTaskGroup group = ledger.require(plan.part(doneGroups));
      if (!group.isDone()) {
        break;
      }
      left = left.plus(group.counts().skipped().left());
      doneGroups++;
    }
    return doneGroups == groups;
  }
}
