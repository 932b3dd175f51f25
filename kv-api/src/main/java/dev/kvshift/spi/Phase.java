package dev.kvshift.spi;

import java.util.List;
import java.util.Locale;

/**
 * A phase of a collection that moves from the old store L to the new store S. The order is the
 * order of a migration. A step goes to a neighbour; the fenced cutover goes from {@link #LEGACY} to
 * {@link #NEW_ONLY} at once.
 */
public enum Phase {
  /** Reads and writes go to L alone. */
  LEGACY,
  /** Writes go to L, then to S at L's version; L acknowledges. */
  SHADOW_WRITE,
  /** Writes go to L, then S; both acknowledge. Reads go to L. */
  DUAL_WRITE,
  /** Writes as in dual-write; reads from L help S, and samples are compared. */
  SHADOW_READ,
  /** Writes as in dual-write; reads go to S, and to L on a miss or a failure. */
  NEW_READ,
  /** Writes as in dual-write; reads go to S alone. */
  NEW_PRIMARY,
  /** Reads and writes go to S alone. Absorbing. */
  NEW_ONLY;

  /** Returns the phase's name for people and programs: {@code legacy}, {@code shadow-write}, … */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Returns the next phase on the way to the target; this phase if it is the target. */
  public Phase towards(Phase target) {
    List<Phase> phases = List.of(values());
    int way = Integer.signum(target.compareTo(this));
    return phases.get(phases.indexOf(this) + way);
  }

  /**
   * Returns whether this phase is the other one or its neighbour, as each step of a dual-write
   * cutover requires.
   */
  public boolean isStepFrom(Phase other) {
    List<Phase> phases = List.of(values());
    return Math.abs(phases.indexOf(this) - phases.indexOf(other)) <= 1;
  }
}
