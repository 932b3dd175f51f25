package dev.kvshift.transition.model;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A system as a state machine that an {@link Explorer} can walk.
 *
 * @param <S> a state; mutable while a step is applied to a fresh copy, never afterwards
 */
interface Model<S> {
  S initial();

  S copy(S state);

  /** Adds every step that can be taken in a state. The order must depend on the state alone. */
  void steps(S state, Steps<S> steps);

  /** Returns the property that a state violates. */
  Optional<String> violation(S state);

  /**
   * Writes all that distinguishes a state. States that differ in interchangeable parts only, such
   * as which of two equal instances does what, should write the same bytes.
   */
  void write(S state, ByteBuffer out);

  /** Receives the steps that can be taken in one state. */
  interface Steps<S> {
    /**
     * Adds a step.
     *
     * @param label a line of a trace
     * @param change applied to a copy of the state
     */
    void add(String label, Consumer<S> change);
  }
}
