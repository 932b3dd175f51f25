package dev.kvshift.migrate.internal.cutover;

import dev.kvshift.spi.Phase;
import dev.kvshift.transition.Coordinator;

/**
 * A hook that asks for a right before each step up. The step itself is a compare-and-set of the
 * state before that question, so nobody can come between: whoever changes the state meanwhile has
 * the question asked again.
 *
 * @param right throws once the step must not be taken any more
 * @param hook the hook that is called if it may be
 */
public record Guarded(Runnable right, Coordinator.Hook hook) implements Coordinator.Hook {
  @Override
  public void before(Phase from, Phase to) {
    right.run();
    hook.before(from, to);
  }

  @Override
  public void after(Phase from, Phase to) {
    hook.after(from, to);
  }
}
