package dev.kvshift.migrate.internal.cutover;

import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.transition.Coordinator;
import org.jspecify.annotations.Nullable;

/**
 * Checks the conditions of each step forward of the dual-write cutover: protocol, 4. A condition
 * that time fulfils is returned as what the step waits for; one that needs a person is thrown. Used
 * by one thread.
 */
public final class StepConditions {
  private final Evidence evidence;
  private @Nullable Sample sample;

  /** The runner's knowledge of its own progress. */
  public interface Evidence {
    /** Returns whether every task of the copy is done. */
    boolean isCopied();

    /** Returns the newest position of the source's change log. */
    long newest();

    /** Returns the position up to which everything is applied. */
    long applied();

    /**
     * Checks the certificate.
     *
     * @throws MigrationException if it lacks something
     */
    void certify();
  }

  /**
   * The newest position, as it was once every instance had entered an epoch.
   *
   * @param epoch the epoch
   * @param position the position
   */
  private record Sample(long epoch, long position) {}

  /** Creates the conditions of one run. */
  public StepConditions(Evidence evidence) {
    this.evidence = evidence;
  }

  /** Returns the coordinator with the conditions. */
  public Coordinator addTo(Coordinator coordinator) {
    return coordinator
        .withCondition(Phase.DUAL_WRITE, state -> copy())
        .withCondition(Phase.NEW_READ, this::newRead)
        .withCondition(Phase.NEW_PRIMARY, state -> certificate());
  }

  /** Until the copy is done, waiting for the target costs services time and proves nothing. */
  @Nullable String copy() {
    return evidence.isCopied() ? null : "the copy is not done, which the command copy does";
  }

  /**
   * Reads may go to the target once it has everything that was committed before every instance
   * wrote to both stores and helped. A position from before the step was complete would not do: an
   * instance may still have written to the source alone.
   */
  @Nullable String newRead(Gate.State state) {
    if (state.phase() != Phase.SHADOW_READ || state.acceptMin() != state.epoch()) {
      return "the collection is in phase " + state.phase() + ", whose step is not complete";
    }
    Sample taken = sample;
    if (taken == null || taken.epoch != state.epoch()) {
      taken = new Sample(state.epoch(), evidence.newest());
      sample = taken;
    }
    long applied = evidence.applied();
    return applied < taken.position
        ? "changes are applied up to position " + applied + " of " + taken.position
        : certificate();
  }

  private @Nullable String certificate() {
    evidence.certify();
    return null;
  }
}
