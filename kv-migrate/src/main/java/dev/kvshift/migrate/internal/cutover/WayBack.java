package dev.kvshift.migrate.internal.cutover;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.QuarantinedKeys;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.transition.ClockEra;
import dev.kvshift.transition.Coordinator;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Steps back to an earlier phase. They have no condition and need only the source, which holds
 * every acknowledged write, whatever state the target and the broker are in. After the move there
 * is a way back only if both stores allow it.
 */
public final class WayBack {
  private WayBack() {}

  /**
   * Takes a collection back to a phase before new-only. Never takes it forward: another run may
   * have taken it further back meanwhile, and a step forward has conditions.
   *
   * @param coordinator the collection's, without conditions
   * @param patience the maximum time for which each step waits
   * @return the gate's state in that phase
   * @throws MigrationException.CutoverRefused if the collection has moved
   */
  public static Gate.State to(Phase target, Coordinator coordinator, Duration patience) {
    Coordinator backOnly = coordinator;
    for (Phase phase : Phase.values()) {
      backOnly = backOnly.withCondition(phase, state -> refuseUp(state, target));
    }
    try {
      return backOnly.moveTo(target, patience);
    } catch (StalePhase e) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + e.collection()
              + " has moved, and there is no way back from NEW_ONLY: the new store has had writes that"
              + " the old one lacks");
    }
  }

  /** Returns why there would be no way back after a move; null if there would be one. */
  public static @Nullable String obstacle(MigrationPlan plan, Ledger ledger) {
    try {
      ClockEra.requireNewSide(plan.target(), plan.collection());
    } catch (KvException.Permanent e) {
      return e.getMessage();
    }
    int lost = new QuarantinedKeys(ledger).accepted().size();
    return lost == 0
        ? null
        : lost
            + " keys were accepted as lost, and the new store can never hold what the old one has";
  }

  private static String refuseUp(Gate.State state, Phase target) {
    throw new KvException.Transient(
        "the collection was taken back to phase "
            + state.phase()
            + " meanwhile, below "
            + target
            + ": look at its status, and start the step again");
  }
}
