package dev.kvshift.transition.model;

import dev.kvshift.spi.Phase;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;

/**
 * One key that moves from L to S, phase by phase, forward and back, while instances read and write
 * it. Any process may pause at any point, and any message to S may arrive at any later time, or
 * never: all of that is a step that is taken late. A lease may run out at any moment.
 *
 * <p>Properties:
 *
 * <ul>
 *   <li>Linearizable: an operation returns or writes at least what had been acknowledged or
 *       returned before it began. Since L draws the versions, their order is the order of the
 *       writes.
 *   <li>A write takes effect once: an overwritten one does not come back.
 *   <li>Going back loses nothing: before new-only, L holds all that was acknowledged or returned.
 *   <li>Going forward loses nothing: once S's record is active, S holds all that L has committed.
 * </ul>
 *
 * <p>Folded into one step, because later is only weaker: L's work and the arrival of its reply;
 * sending to S; an acknowledgement and its return.
 */
final class PhaseModel implements Model<PhaseState> {
  private final PhaseScope scope;
  private final Set<PhaseRule> off;
  private final Coordinator coordinator;
  private final Service service;

  /**
   * @param off the rules to leave out
   */
  PhaseModel(PhaseScope scope, Set<PhaseRule> off) {
    this.scope = scope;
    this.off = off;
    coordinator = new Coordinator(off);
    service = new Service(off);
  }

  @Override
  public PhaseState initial() {
    return new PhaseState(scope);
  }

  @Override
  public PhaseState copy(PhaseState state) {
    return state.copy();
  }

  @Override
  public void write(PhaseState state, ByteBuffer out) {
    state.write(out);
  }

  @Override
  public void steps(PhaseState s, Steps<PhaseState> steps) {
    arrivals(s, steps);
    stream(s, steps);
    for (int i = 0; i < s.instances.length; i++) {
      service.steps(s, i, steps);
    }
    coordinator.steps(s, steps);
  }

  private void arrivals(PhaseState s, Steps<PhaseState> steps) {
    for (int version = 0; version <= s.drawn; version++) {
      int v = version;
      if ((s.inFlight >> v & 1) != 0 && !s.isHuge(v)) {
        steps.add("S applies v" + v, t -> deliver(t, v));
      }
    }
    if (s.lateWrite != 0) {
      boolean refused = service.refuses(s, s.lateEpoch);
      steps.add(
          "a late request of write " + s.lateWrite + (refused ? " is refused by L" : " reaches L"),
          t -> {
            if (!refused) {
              service.commit(t, t.lateWrite, false);
            }
            t.lateWrite = 0;
            t.lateEpoch = 0;
          });
    }
  }

  private void deliver(PhaseState t, int version) {
    t.inFlight &= ~(1 << version);
    if (off.contains(PhaseRule.VERSION_OF_LEADER)) {
      t.onNewStore = version;
    } else if (version > t.onNewStore) {
      t.onNewStore = version;
      // What would change nothing any more has arrived.
      t.inFlight &= -1 << version;
    }
  }

  /** Stream and apply run from shadow-write on, until S's record is active. */
  private void stream(PhaseState s, Steps<PhaseState> steps) {
    int last = s.onLeader;
    if (s.phase() == Phase.LEGACY || s.active || s.watermark == last) {
      return;
    }
    if (s.isHuge(last)) {
      // A dead letter: the key stays behind until something else is written.
      if (off.contains(PhaseRule.DEAD_LETTERS_BLOCK)) {
        steps.add("the stream skips v" + last, t -> t.watermark = last);
      }
      return;
    }
    if (off.contains(PhaseRule.APPLIED_WATERMARK)) {
      steps.add(
          "the stream sends v" + last,
          t -> {
            t.inFlight |= 1 << last;
            t.watermark = last;
          });
    } else {
      steps.add(
          "the stream applies v" + last + " to S",
          t -> {
            deliver(t, last);
            t.watermark = last;
          });
    }
  }

  @Override
  public Optional<String> violation(PhaseState s) {
    if (!s.broken.isEmpty()) {
      return Optional.of(s.broken);
    }
    if (s.phase() != Phase.NEW_ONLY && s.newestPromise() > s.onLeader) {
      return Optional.of("going back loses v" + s.newestPromise() + ": L has v" + s.onLeader);
    }
    if (s.active && s.onNewStore < s.onLeader) {
      return Optional.of("going forward loses v" + s.onLeader + ": S has v" + s.onNewStore);
    }
    return Optional.empty();
  }
}
