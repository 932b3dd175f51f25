package dev.kvshift.transition.model;

import dev.kvshift.spi.Phase;
import dev.kvshift.transition.model.Model.Steps;
import java.util.Set;

/** The coordinator of {@link PhaseModel}: it takes steps, and time takes leases. */
final class Coordinator {
  private final Set<PhaseRule> off;

  Coordinator(Set<PhaseRule> off) {
    this.off = off;
  }

  void steps(PhaseState s, Steps<PhaseState> steps) {
    boolean closed = s.acceptMin == s.epoch;
    if (!closed && (allAcknowledged(s) || off.contains(PhaseRule.STEP_WAITS))) {
      steps.add(
          "coordinator: L refuses epochs before " + s.phase().word(), t -> t.acceptMin = t.epoch);
    }
    if (s.phase() == Phase.NEW_ONLY) {
      activate(s, steps);
    }
    if (s.phase() == Phase.LEGACY && closed && s.wipesLeft > 0) {
      steps.add("the runner drops S's copy and begins another", PhaseState::wipe);
    }
    if (s.stepsLeft == 0) {
      return;
    }
    if (s.phase() == Phase.SHADOW_READ) {
      prepareNewRead(s, closed, steps);
    }
    if (closed) {
      for (Phase next : Phase.values()) {
        if (isReachable(s.phase(), next) && isOpen(s, next)) {
          steps.add("coordinator: " + next.word() + " begins", t -> enter(t, next));
        }
      }
    }
  }

  private boolean allAcknowledged(PhaseState s) {
    for (Instance instance : s.instances) {
      if (!isAcknowledged(instance, s.epoch)) {
        return false;
      }
    }
    return true;
  }

  /** Returns whether the coordinator need not wait for an instance. */
  private boolean isAcknowledged(Instance instance, int epoch) {
    return switch (instance.standing) {
      case DOWN -> true;
      case STARTING -> off.contains(PhaseRule.REGISTER_FIRST);
      case SERVING -> !instance.leased || (instance.epoch == epoch && isDrained(instance));
    };
  }

  /** Returns whether no operation of an older epoch is in progress. */
  private boolean isDrained(Instance instance) {
    return !instance.isBusy()
        || instance.operationEpoch == instance.epoch
        || off.contains(PhaseRule.DRAINED_ACKNOWLEDGEMENT);
  }

  private void prepareNewRead(PhaseState s, boolean closed, Steps<PhaseState> steps) {
    if (s.sample == 0 && (closed || off.contains(PhaseRule.SAMPLED_AFTER_CLOSE))) {
      steps.add("coordinator: L's last position is v" + s.onLeader, t -> t.sample = t.onLeader);
    }
    if (!s.certified && s.onNewStore >= s.onLeader) {
      steps.add("coordinator: S is verified", t -> t.certified = true);
    }
  }

  private boolean isReachable(Phase from, Phase next) {
    return next != from
        && (next.isStepFrom(from) || off.contains(PhaseRule.NEIGHBOURS))
        && (from != Phase.NEW_ONLY || off.contains(PhaseRule.ABSORBING));
  }

  /** Returns whether the gate of a phase lets the collection in. */
  private boolean isOpen(PhaseState s, Phase next) {
    if (next != Phase.NEW_READ || s.phase() != Phase.SHADOW_READ) {
      return true;
    }
    boolean applied = s.sample != 0 && s.watermark >= s.sample;
    return (applied || off.contains(PhaseRule.WATERMARK_GATE))
        && (s.certified || off.contains(PhaseRule.CERTIFICATE));
  }

  private void enter(PhaseState t, Phase next) {
    t.active = false;
    t.acceptMin = t.epoch;
    t.enter(next);
    if (next == Phase.NEW_ONLY) {
      t.floor = t.onLeader;
      if (!off.contains(PhaseRule.SEAL)) {
        t.acceptMin = t.epoch;
      }
    }
  }

  private void activate(PhaseState s, Steps<PhaseState> steps) {
    boolean drained = s.watermark == s.onLeader;
    if (!s.active && (drained || off.contains(PhaseRule.STREAM_DRAINED))) {
      steps.add("coordinator: S's record is active(v" + s.floor + ")", t -> t.active = true);
    }
  }
}
