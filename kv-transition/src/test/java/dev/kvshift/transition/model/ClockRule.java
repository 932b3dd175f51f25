package dev.kvshift.transition.model;

import static dev.kvshift.spi.Phase.DUAL_WRITE;
import static dev.kvshift.spi.Phase.NEW_PRIMARY;
import static dev.kvshift.spi.Phase.NEW_READ;
import static dev.kvshift.spi.Phase.SHADOW_READ;
import static dev.kvshift.spi.Phase.SHADOW_WRITE;

/**
 * The rules of clock-ordered phases that {@link ClockModel} can switch off: section 11 of the
 * protocol.
 */
enum ClockRule {
  /** A version is drawn strictly above F. Off: a clock that lags behind may draw one below. */
  ABOVE_FLOOR(ClockScope.from(NEW_PRIMARY).puts(1)),
  /** In dual-write and shadow-read, both stores acknowledge a write. Off: L alone. */
  CLOCK_BOTH_ACKNOWLEDGE(ClockScope.from(SHADOW_READ).steps(1).puts(1).reads(1)),
  /**
   * If the lease is over when a write is acknowledged, it is sent to the stores that the phase now
   * asks for. Off: it is acknowledged by the stores of its own phase.
   */
  WRITE_POST_CHECK(ClockScope.from(SHADOW_WRITE).steps(3).puts(1).reads(1)),
  /** An answer counts only if the lease holds. Off: it is returned. */
  READ_POST_CHECK(ClockScope.from(DUAL_WRITE).steps(3).puts(1).reads(1)),
  /** An epoch is acknowledged once all older operations have ended. Off: once it is known. */
  CLOCK_DRAINED(ClockScope.from(DUAL_WRITE).steps(3).puts(1).reads(1)),
  /** A step waits for every instance or its lease. Off: for none. */
  CLOCK_STEP_WAITS(ClockScope.from(SHADOW_READ).steps(2).deletes(1).reads(1)),
  /** Shadow-read is left for new-primary after a pass. Off: at any time. */
  PASS_FORWARD(ClockScope.from(DUAL_WRITE).steps(2).puts(1).reads(1)),
  /** Shadow-read is left for dual-write after a pass. Off: at any time. */
  PASS_BACK(ClockScope.from(NEW_PRIMARY).steps(2).puts(1).reads(1)),
  /** A pass begins when every instance is in shadow-read, or its lease is over. Off: before. */
  PASS_AFTER_ALL(ClockScope.from(DUAL_WRITE).steps(2).puts(1).reads(1)),
  /** A pass writes to S what is newer on L. Off: it does not. */
  PASS_TO_NEW(ClockScope.from(DUAL_WRITE).steps(2).puts(1).reads(1)),
  /** A pass writes to L what is newer on S. Off: it does not. */
  PASS_TO_OLD(ClockScope.from(NEW_PRIMARY).steps(2).puts(1).reads(1)),
  /** A reader of both writes the newest row to the store that has less. Off: it returns it. */
  MERGE_WRITES(ClockScope.from(SHADOW_READ).steps(1).puts(1).reads(2)),
  /** The reader returns once that is acknowledged. Off: once it is sent. */
  MERGE_AWAITED(ClockScope.from(SHADOW_READ).steps(1).puts(1).reads(2)),
  /** The newest row counts even if it is a tombstone. Off: values alone are written. */
  MERGE_TOMBSTONES(ClockScope.from(SHADOW_READ).steps(1).deletes(1).reads(2)),
  /** A tombstone is written also to a store that shows nothing. Off: only over a value. */
  TOMBSTONE_OVER_NOTHING(
      ClockScope.from(DUAL_WRITE).steps(2).puts(1).deletes(1).reads(1).losses(2).empty()),
  /** S keeps a delete as a readable dead row. Off: it shows nothing. */
  DEAD_ROWS_ON_NEW(ClockScope.from(NEW_PRIMARY).steps(2).deletes(1).reads(1)),
  /** L keeps a delete as a readable dead row. Off: it shows nothing. */
  DEAD_ROWS_ON_OLD(ClockScope.from(DUAL_WRITE).steps(1).deletes(1).reads(2)),
  /** A step leads to a neighbouring phase. Off: to any. */
  CLOCK_NEIGHBOURS(ClockScope.from(DUAL_WRITE).steps(1).puts(1).reads(1)),
  /** New-only is never left. Off: it can be left as any other phase. */
  CLOCK_ABSORBING(ClockScope.from(NEW_PRIMARY).steps(3).deletes(1).reads(1)),
  /** A back-fill lets S answer alone once it is done. Off: once it has begun. */
  FILLED_BEFORE_READ(ClockScope.from(SHADOW_READ).steps(1).reads(1).uncopied().backFilled()),
  /** A back-fill counts in its own epoch. Off: for ever. */
  FILLED_IN_ITS_EPOCH(
      ClockScope.from(NEW_READ).steps(4).instances(1).puts(1).reads(1).losses(1).backFilled()),
  /** S answers alone in new-read, which does not border on dual-write. Off: in shadow-read, too. */
  FILLED_IN_NEW_READ(ClockScope.from(SHADOW_READ).steps(1).puts(1).reads(1).backFilled());

  @SuppressWarnings("ImmutableEnumChecker") // A record of numbers is immutable.
  private final ClockScope scope;

  ClockRule(ClockScope scope) {
    this.scope = scope;
  }

  /** Returns a small scope in which a property is violated if this rule is off. */
  ClockScope scope() {
    return scope;
  }
}
