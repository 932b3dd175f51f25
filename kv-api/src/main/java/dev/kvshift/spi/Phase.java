package dev.kvshift.spi;

import java.util.List;

/**
 * Where a collection stands between the old store L and the new store S. The order is the order of
 * a migration; a step goes to a neighbour, and the fence way goes from {@link #LEGACY} to {@link
 * #NEW_ONLY} at once.
 */
public enum Phase {
  /** Reads and writes go to L alone. */
  LEGACY,
  /** Writes go to L, then to S at L's version; L acknowledges. */
  SHADOW_WRITE,
  /** Writes go to L, then S; both acknowledge. Reads go to L. */
  DUAL_WRITE,
  /** As dual-write; reads from L help S, and samples are compared. */
  SHADOW_READ,
  /** Writes as in dual-write; reads go to S, and to L on a miss or a failure. */
  NEW_READ,
  /** Writes as in dual-write; reads go to S alone. */
  NEW_PRIMARY,
  /** Reads and writes go to S alone. Absorbing. */
  NEW_ONLY;

  /** Returns the neighbour of this phase on the way to another one, and this one if it is that. */
  public Phase towards(Phase target) {
    List<Phase> phases = List.of(values());
    int way = Integer.signum(target.compareTo(this));
    return phases.get(phases.indexOf(this) + way);
  }

  /**
   * Returns whether a step of the dual-write way leads from the other phase to this one, or it is
   * the same.
   */
  public boolean isStepFrom(Phase other) {
    List<Phase> phases = List.of(values());
    return Math.abs(phases.indexOf(this) - phases.indexOf(other)) <= 1;
  }
}
