package dev.kvshift.transition.model;

import dev.kvshift.spi.Phase;
import dev.kvshift.transition.model.ClockProcess.Stage;
import dev.kvshift.transition.model.ClockProcess.Work;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * One key that moves from L to S in the order of the instances' clocks, phase by phase, forward and
 * back. No store refuses anybody: both keep the newest version of what reaches them. Any process
 * may pause at any point, any message to either store may arrive at any later time, or never, and a
 * lease may run out at any moment: all of that is a step that is taken late.
 *
 * <p>Clocks are exact here, so a version is drawn above all that were drawn before. What the model
 * shows for exact clocks holds for others except between two writes that are drawn within ε.
 *
 * <p>Properties:
 *
 * <ul>
 *   <li>Linearizable: an operation returns or writes at least what had been acknowledged or
 *       returned before it began.
 *   <li>Nothing is lost: an instance that starts now, and reads, finds all of that too.
 * </ul>
 *
 * <p>Folded into one step, because later is only weaker: sending to several stores; a read of one
 * store, its post-check and its return; an acknowledgement and its return.
 */
final class ClockModel implements Model<ClockState> {
  private static final List<Phase> PHASES =
      List.of(
          Phase.LEGACY,
          Phase.SHADOW_WRITE,
          Phase.DUAL_WRITE,
          Phase.SHADOW_READ,
          Phase.NEW_PRIMARY,
          Phase.NEW_ONLY);

  private static final List<Phase> WITH_NEW_READ =
      List.of(
          Phase.LEGACY,
          Phase.SHADOW_WRITE,
          Phase.DUAL_WRITE,
          Phase.SHADOW_READ,
          Phase.NEW_READ,
          Phase.NEW_PRIMARY,
          Phase.NEW_ONLY);

  private final ClockScope scope;
  private final Set<ClockRule> off;

  /**
   * @param off the rules to leave out
   */
  ClockModel(ClockScope scope, Set<ClockRule> off) {
    this.scope = scope;
    this.off = off;
  }

  private boolean on(ClockRule rule) {
    return !off.contains(rule);
  }

  @Override
  public ClockState initial() {
    return new ClockState(scope);
  }

  @Override
  public ClockState copy(ClockState state) {
    return state.copy();
  }

  @Override
  public void write(ClockState state, ByteBuffer out) {
    state.write(out);
  }

  @Override
  public void steps(ClockState s, Steps<ClockState> steps) {
    Registers.arrivals(s, steps);
    for (int i = 0; i < s.instances.length; i++) {
      new Turn(s, i, steps).instance();
    }
    coordinator(s, steps);
  }

  @Override
  public Optional<String> violation(ClockState s) {
    if (!s.broken.isEmpty()) {
      return Optional.of(s.broken);
    }
    int shown =
        switch (s.phase()) {
          case LEGACY, SHADOW_WRITE, DUAL_WRITE -> s.onOld;
          case SHADOW_READ, NEW_READ ->
              isFilled(s, s.epoch)
                  ? s.onNew
                  : Math.max(visible(s, s.onOld, true), visible(s, s.onNew, false));
          case NEW_PRIMARY, NEW_ONLY -> s.onNew;
        };
    return shown < s.newestPromise() && !isHidden(s)
        ? Optional.of(s.phase().word() + " loses v" + s.newestPromise() + ": it shows v" + shown)
        : Optional.empty();
  }

  /** Returns whether both stores show nothing, and the newest of what they hide was promised. */
  private boolean isHidden(ClockState s) {
    return isMerged(s.phase())
        && visible(s, s.onOld, true) == 0
        && visible(s, s.onNew, false) == 0
        && Math.max(s.onOld, s.onNew) >= s.newestPromise();
  }

  private static boolean isMerged(Phase phase) {
    return phase == Phase.SHADOW_READ || phase == Phase.NEW_READ;
  }

  /** Returns whether readers of an epoch may ask S alone, since the key was back-filled. */
  private boolean isFilled(ClockState s, int epoch) {
    boolean isPhase =
        s.phaseOf(epoch) == Phase.NEW_READ
            || (s.phaseOf(epoch) == Phase.SHADOW_READ && !on(ClockRule.FILLED_IN_NEW_READ));
    return isPhase && (on(ClockRule.FILLED_IN_ITS_EPOCH) ? s.filled == epoch + 1 : s.filled > 0);
  }

  // ---- the table of phases

  private static int targets(Phase phase) {
    return switch (phase) {
      case LEGACY -> Registers.OLD;
      case SHADOW_WRITE, DUAL_WRITE, SHADOW_READ, NEW_READ, NEW_PRIMARY -> Registers.BOTH;
      case NEW_ONLY -> Registers.NEW;
    };
  }

  /** Returns the stores that acknowledge a write. In new-primary, L follows by best effort. */
  private int acknowledging(Phase phase) {
    return switch (phase) {
      case LEGACY, SHADOW_WRITE -> Registers.OLD;
      case DUAL_WRITE, SHADOW_READ, NEW_READ ->
          on(ClockRule.CLOCK_BOTH_ACKNOWLEDGE) ? Registers.BOTH : Registers.OLD;
      case NEW_PRIMARY, NEW_ONLY -> Registers.NEW;
    };
  }

  /** Returns the version that a reader of a store sees; 0 for nothing. */
  private int visible(ClockState s, int version, boolean old) {
    ClockRule readable = old ? ClockRule.DEAD_ROWS_ON_OLD : ClockRule.DEAD_ROWS_ON_NEW;
    boolean hidden = s.isUnreadable(version) || (s.isTombstone(version) && !on(readable));
    return hidden ? 0 : version;
  }

  // ---- the coordinator and its pass

  private void coordinator(ClockState s, Steps<ClockState> steps) {
    boolean all = true;
    for (ClockProcess instance : s.instances) {
      all &= isAcknowledged(instance, s.epoch);
    }
    if (isMerged(s.phase())) {
      if (!s.pass.isBusy() && !s.passed && (all || !on(ClockRule.PASS_AFTER_ALL))) {
        begin(steps, Work.PASS);
      }
      boolean isFillable =
          scope.isBackFilled()
              && (s.phase() == Phase.NEW_READ || !on(ClockRule.FILLED_IN_NEW_READ));
      if (!s.pass.isBusy() && isFillable && s.filled != s.epoch + 1) {
        begin(steps, Work.FILL);
      }
      if (s.pass.isBusy()) {
        new Turn(s, -1, steps).merge();
      }
    }
    if (s.stepsLeft == 0 || (!all && on(ClockRule.CLOCK_STEP_WAITS))) {
      return;
    }
    for (Phase next : phases()) {
      if (isReachable(s.phase(), next) && isOpen(s, next)) {
        steps.add("coordinator: " + next.word() + " begins", t -> t.enter(next));
      }
    }
  }

  private void begin(Steps<ClockState> steps, Work work) {
    steps.add(
        work == Work.PASS ? "pass: begins" : "back-fill: begins",
        t -> {
          t.pass.work = work;
          t.pass.workEpoch = t.epoch;
          if (work == Work.FILL && !on(ClockRule.FILLED_BEFORE_READ)) {
            t.filled = t.epoch + 1;
          }
        });
  }

  /** Returns whether the coordinator need not wait for an instance. */
  private boolean isAcknowledged(ClockProcess instance, int epoch) {
    boolean drained =
        !instance.isBusy() || instance.workEpoch == instance.epoch || !on(ClockRule.CLOCK_DRAINED);
    return !instance.leased || (instance.epoch == epoch && drained);
  }

  private List<Phase> phases() {
    return scope.isBackFilled() ? WITH_NEW_READ : PHASES;
  }

  private boolean isReachable(Phase from, Phase next) {
    int way = Math.abs(phases().indexOf(next) - phases().indexOf(from));
    return next != from
        && (way == 1 || !on(ClockRule.CLOCK_NEIGHBOURS))
        && (from != Phase.NEW_ONLY || !on(ClockRule.CLOCK_ABSORBING));
  }

  private boolean isOpen(ClockState s, Phase next) {
    if (!isMerged(s.phase()) || isMerged(next) || s.passed) {
      return true;
    }
    ClockRule rule = next == Phase.NEW_PRIMARY ? ClockRule.PASS_FORWARD : ClockRule.PASS_BACK;
    return !on(rule);
  }

  /** One instance, or the pass, in one state. */
  private final class Turn {
    private final ClockState s;
    private final int index;
    private final ClockProcess me;
    private final Steps<ClockState> all;

    Turn(ClockState s, int index, Steps<ClockState> all) {
      this.s = s;
      this.index = index;
      this.all = all;
      me = isPass() ? s.pass : s.instances[index];
    }

    private boolean isPass() {
      return index < 0;
    }

    private void add(String label, BiConsumer<ClockState, ClockProcess> change) {
      String name = isPass() ? "pass" : String.valueOf((char) ('A' + index));
      all.add(name + ": " + label, t -> change.accept(t, isPass() ? t.pass : t.instances[index]));
    }

    void instance() {
      if (me.epoch < s.epoch || !me.leased) {
        add("renews its lease, learns " + s.phase().word(), (t, i) -> i.learn(t.epoch));
      }
      if (me.leased && (me.isBusy() || me.epoch < s.epoch)) {
        add("loses its lease", (t, i) -> i.loseLease());
      }
      switch (me.work) {
        case NONE -> begin();
        case READ -> read();
        default -> write();
      }
    }

    private void begin() {
      String in = " begins in " + s.phaseOf(me.epoch).word();
      if (s.readsLeft > 0) {
        add(
            "a read" + in,
            (t, i) -> {
              t.readsLeft--;
              take(t, i, Work.READ);
            });
      }
      if (s.putsLeft > 0) {
        add(
            "a put" + in,
            (t, i) -> {
              t.putsLeft--;
              take(t, i, Work.PUT);
            });
      }
      if (s.deletesLeft > 0) {
        add(
            "a delete" + in,
            (t, i) -> {
              t.deletesLeft--;
              take(t, i, Work.DELETE);
            });
      }
    }

    private void take(ClockState t, ClockProcess i, Work work) {
      i.work = work;
      i.workEpoch = i.epoch;
      i.leaseBroken = !i.leased;
      i.atLeast = t.newestPromise();
    }

    private void startAgain(String why) {
      add(why + ", starts again in " + s.phase().word(), (t, i) -> i.startAgain(t.epoch));
    }

    // ---- writes

    private void write() {
      if (s.lossesLeft > 0) {
        add(
            "the deadline ends its write: unknown outcome",
            (t, i) -> {
              t.lossesLeft--;
              i.end();
            });
      }
      Phase phase = s.phaseOf(me.workEpoch);
      if (me.stage == Stage.CALL) {
        draw(s.drawn + 1, targets(phase));
        if (!on(ClockRule.ABOVE_FLOOR) && !s.belowFloor) {
          draw(ClockState.INITIAL - 1, targets(phase));
        }
      } else if (s.isAcknowledged(me.version, acknowledging(phase))) {
        acknowledged();
      }
    }

    private void draw(int version, int stores) {
      add(
          "draws v" + version + ", sends it to " + names(stores),
          (t, i) -> {
            t.drawn = Math.max(t.drawn, version);
            t.belowFloor |= version < ClockState.INITIAL;
            if (i.work == Work.DELETE) {
              t.tombstones |= 1 << version;
              t.unreadable |= stores == Registers.NEW ? 1 << version : 0;
            }
            send(t, i, version, stores);
          });
    }

    private void acknowledged() {
      if (!me.leaseBroken || !on(ClockRule.WRITE_POST_CHECK)) {
        add("v" + me.version + " is acknowledged", Registers::acknowledge);
        return;
      }
      int missing = targets(s.phase()) & ~me.sent;
      add(
          "its lease is over, learns "
              + s.phase().word()
              + (missing == 0 ? "" : ", sends v" + me.version + " to " + names(missing)),
          (t, i) -> {
            i.takeAgain(t.epoch);
            send(t, i, i.version, missing);
          });
    }

    private void send(ClockState t, ClockProcess i, int version, int stores) {
      i.version = version;
      i.sent |= stores;
      i.stage = Stage.AWAIT;
      t.send(version, stores);
    }

    private String names(int stores) {
      return switch (stores) {
        case Registers.OLD -> "L";
        case Registers.NEW -> "S";
        default -> "L and S";
      };
    }

    // ---- reads

    private void read() {
      if (me.stage == Stage.CALL && me.leaseBroken && on(ClockRule.READ_POST_CHECK)) {
        startAgain("its lease is over");
        return;
      }
      switch (s.phaseOf(me.workEpoch)) {
        case LEGACY, SHADOW_WRITE, DUAL_WRITE ->
            add("L has v" + s.onOld + ", returned", (t, i) -> t.answer(i, t.onOld));
        case SHADOW_READ, NEW_READ -> {
          merge();
          if (me.stage == Stage.CALL && isFilled(s, me.workEpoch)) {
            add("S alone has v" + s.onNew + ", returned", (t, i) -> t.answer(i, t.onNew));
          }
        }
        case NEW_PRIMARY, NEW_ONLY ->
            add("S has v" + s.onNew + ", returned", (t, i) -> t.answer(i, t.onNew));
      }
    }

    // ---- the merge of L and S, by a reader and by the pass

    void merge() {
      switch (me.stage) {
        case CALL -> {
          add("L has v" + s.onOld, (t, i) -> keep(i, Stage.HAS_OLD, t.onOld));
          add("S has v" + s.onNew, (t, i) -> keep(i, Stage.HAS_NEW, t.onNew));
        }
        case HAS_OLD -> decide(me.read, s.onNew, "S has v" + s.onNew);
        case HAS_NEW -> decide(s.onOld, me.read, "L has v" + s.onOld);
        case AWAIT -> {
          if (s.isAcknowledged(me.version, me.sent) || isNotAwaited()) {
            finish("v" + me.version + " is written");
          }
        }
      }
    }

    private boolean isNotAwaited() {
      return !isPass() && !on(ClockRule.MERGE_AWAITED);
    }

    private void keep(ClockProcess i, Stage stage, int version) {
      i.stage = stage;
      i.read = version;
    }

    private void decide(int old, int fresh, String label) {
      int shownOld = visible(s, old, true);
      int shownNew = visible(s, fresh, false);
      int newest = shownOld == shownNew ? Math.max(old, fresh) : shownOld > shownNew ? old : fresh;
      int target = shownOld == shownNew ? 0 : shownOld > shownNew ? Registers.NEW : Registers.OLD;
      if (target == 0 || !isWritten(newest, Math.min(shownOld, shownNew), target)) {
        finish(label, (t, i) -> i.version = newest);
        return;
      }
      add(
          label + ", writes v" + newest + " to " + names(target),
          (t, i) -> send(t, i, newest, target));
    }

    private boolean isWritten(int newest, int less, int target) {
      if (s.isTombstone(newest)
          && (!on(ClockRule.MERGE_TOMBSTONES)
              || (less == 0 && !on(ClockRule.TOMBSTONE_OVER_NOTHING)))) {
        return false;
      }
      if (isPass()) {
        return on(target == Registers.NEW ? ClockRule.PASS_TO_NEW : ClockRule.PASS_TO_OLD);
      }
      return on(ClockRule.MERGE_WRITES);
    }

    private void finish(String label) {
      finish(label, (t, i) -> {});
    }

    private void finish(String label, BiConsumer<ClockState, ClockProcess> before) {
      if (isPass()) {
        add(
            label + ", done",
            (t, i) -> {
              if (i.work == Work.FILL) {
                t.filled = i.workEpoch + 1;
              } else {
                t.passed = true;
              }
              i.end();
            });
      } else if (me.leaseBroken && on(ClockRule.READ_POST_CHECK)) {
        startAgain(label + ", its lease is over");
      } else {
        add(
            label + ", returned",
            (t, i) -> {
              before.accept(t, i);
              t.answer(i, i.version);
            });
      }
    }
  }
}
