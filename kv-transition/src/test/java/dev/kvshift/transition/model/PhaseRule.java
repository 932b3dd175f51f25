package dev.kvshift.transition.model;

import static dev.kvshift.spi.Phase.DUAL_WRITE;
import static dev.kvshift.spi.Phase.LEGACY;
import static dev.kvshift.spi.Phase.NEW_ONLY;
import static dev.kvshift.spi.Phase.NEW_PRIMARY;
import static dev.kvshift.spi.Phase.NEW_READ;
import static dev.kvshift.spi.Phase.SHADOW_READ;
import static dev.kvshift.spi.Phase.SHADOW_WRITE;

/**
 * The rules of the protocol that {@link PhaseModel} can switch off. Numbers are sections of the
 * protocol.
 */
enum PhaseRule {
  /** 1: L refuses every request of an epoch below acceptMin. Off: L serves all epochs. */
  ACCEPT_MIN(PhaseScope.from(SHADOW_WRITE).steps(3).puts(1).reads(1)),
  /**
   * 2: A write has L's version on S. Off: each instance sends its own time, so that S keeps the
   * order of arrival.
   */
  VERSION_OF_LEADER(PhaseScope.from(NEW_PRIMARY).puts(2).reads(1)),
  /** 2: What is on its way to S is committed on L. Off: a write goes to S first, then to L. */
  LEADER_FIRST(PhaseScope.from(NEW_READ).puts(1).reads(1)),
  /** 2: The first version of new-only is above the floor. Off: it may be just below. */
  FLOOR_WAIT(PhaseScope.from(NEW_PRIMARY).steps(1).puts(1)),
  /**
   * 3: An epoch is acknowledged once all operations of older epochs have ended. Off: once it is
   * known.
   */
  DRAINED_ACKNOWLEDGEMENT(PhaseScope.from(NEW_PRIMARY).steps(5).reads(1).wipes(1)),
  /** 3: An instance registers, then reads the phase. Off: it reads the phase first. */
  REGISTER_FIRST(PhaseScope.from(NEW_READ).steps(3).instances(1).joiners(1).puts(1).reads(1)),
  /** 3: From dual-write the limits of both stores are checked first. Off: each checks its own. */
  LIMITS_OF_BOTH(PhaseScope.from(NEW_READ).hugePuts(1).reads(2)),
  /** 3: S is retried with the same version. Off: with a new one. */
  SAME_VERSION(PhaseScope.from(NEW_ONLY).puts(2).reads(1).losses(1)),
  /**
   * 3: A refused write starts again only if every attempt was certainly refused. Off: always, even
   * if an earlier attempt timed out.
   */
  CERTAINLY_REFUSED(PhaseScope.from(NEW_PRIMARY).steps(1).puts(2).reads(1).losses(1)),
  /** 3: L removes duplicates of a write. Off: it commits a request as often as it arrives. */
  DEDUPLICATION(PhaseScope.from(LEGACY).puts(2).reads(1).losses(1)),
  /** 3: From dual-write on L and S acknowledge a write. Off: L alone. */
  BOTH_ACKNOWLEDGE(PhaseScope.from(NEW_READ).puts(1).reads(1)),
  /** 3: An answer of L above W is written to S. Off: it is just returned. */
  HELP(PhaseScope.from(NEW_READ).puts(1).reads(2)),
  /** 3: The answer is returned once S has acknowledged the help. Off: once the help is sent. */
  HELP_AWAITED(PhaseScope.from(NEW_READ).puts(1).reads(2)),
  /** 3: Tombstones are helped, too. Off: values alone. */
  HELP_TOMBSTONES(PhaseScope.from(NEW_READ).deletes(1).reads(2)),
  /** 3: An answer of S is discarded if the lease has run out. Off: it is returned. */
  POST_CHECK(PhaseScope.from(NEW_PRIMARY).steps(5).reads(1).wipes(1)),
  /**
   * 3: The lease must hold from the moment in which the operation takes its epoch. Off: a lease
   * that was over then, or since, counts once it is renewed.
   */
  LEASE_UNBROKEN(PhaseScope.from(NEW_READ).steps(3).puts(1).reads(1)),
  /** 4: A step waits for every instance or its lease. Off: for none. */
  STEP_WAITS(PhaseScope.from(NEW_READ).steps(3).puts(1).reads(1)),
  /** 4: A step leads to a neighbouring phase. Off: to any. */
  NEIGHBOURS(PhaseScope.from(NEW_READ).steps(1).puts(1).reads(1)),
  /** 4: New-read waits until W has reached L's last position. Off: for nothing. */
  WATERMARK_GATE(PhaseScope.from(LEGACY).steps(4).puts(1).reads(1)),
  /** 4: That position is sampled once older epochs are refused. Off: at any time before. */
  SAMPLED_AFTER_CLOSE(PhaseScope.from(DUAL_WRITE).steps(2).puts(1).reads(2)),
  /** 9: W counts what S has applied. Off: what was sent to S. */
  APPLIED_WATERMARK(PhaseScope.from(LEGACY).steps(4).puts(1).reads(1)),
  /** 6: W does not pass a change that S cannot hold. Off: it is skipped. */
  DEAD_LETTERS_BLOCK(PhaseScope.from(SHADOW_WRITE).steps(3).hugePuts(1).reads(1)),
  /** 4: New-read needs a certificate that S holds the copied rows. Off: none. */
  CERTIFICATE(PhaseScope.from(SHADOW_READ).steps(2).reads(2).uncopied()),
  /** 4: At the step into new-only L refuses all older epochs. Off: all but the last. */
  SEAL(PhaseScope.from(NEW_PRIMARY).steps(1).puts(1)),
  /** 4: S's record becomes active once the stream is drained. Off: at once. */
  STREAM_DRAINED(PhaseScope.from(NEW_PRIMARY).steps(1).puts(1)),
  /** 9: New-only is never left. Off: it can be left as any other phase. */
  ABSORBING(PhaseScope.from(NEW_PRIMARY).steps(2).puts(1));

  @SuppressWarnings("ImmutableEnumChecker") // A record of numbers is immutable.
  private final PhaseScope scope;

  PhaseRule(PhaseScope scope) {
    this.scope = scope;
  }

  /** Returns a small scope in which a property is violated if this rule is off. */
  PhaseScope scope() {
    return scope;
  }
}
