package dev.kvshift.transition.model;

import dev.kvshift.transition.model.ClockProcess.Stage;
import dev.kvshift.transition.model.ClockProcess.Work;
import dev.kvshift.transition.model.EraState.Kind;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * One key whose leader hands it to the clocks, and leads it again: the move, the time in which S
 * acknowledges alone and L follows, the merge of both, and the way back. Any process may pause at
 * any point, any message to either store may arrive at any later time, or never, and a lease may
 * run out at any moment.
 *
 * <p>L refuses what is of another time than its own; S refuses nobody. The gate is on S from the
 * move on, and knows only the instances that have reported to it. An instance hears of the move by
 * a report, or by a refusal of L.
 *
 * <p>Clocks are exact, and what an operation does at one store is one step. There is one move and
 * one way back: that L refuses late requests counts only at the next move, which is not modelled.
 * Properties: as {@link ClockModel}'s.
 */
final class EraModel implements Model<EraState> {
  private final EraScope scope;
  private final Set<EraRule> off;

  /**
   * @param off the rules to leave out
   */
  EraModel(EraScope scope, Set<EraRule> off) {
    this.scope = scope;
    this.off = off;
  }

  private boolean on(EraRule rule) {
    return !off.contains(rule);
  }

  @Override
  public EraState initial() {
    return new EraState(scope);
  }

  @Override
  public EraState copy(EraState state) {
    return state.copy();
  }

  @Override
  public void write(EraState state, ByteBuffer out) {
    state.write(out);
  }

  @Override
  public void steps(EraState s, Steps<EraState> steps) {
    Registers.arrivals(s, steps);
    for (int i = 0; i < s.instances.length; i++) {
      new Turn(s, i, steps).instance();
    }
    coordinator(s, steps);
  }

  @Override
  public Optional<String> violation(EraState s) {
    if (!s.broken.isEmpty()) {
      return Optional.of(s.broken);
    }
    int shown =
        switch (s.kind()) {
          case LED -> scope.isFenced() ? s.onOld : s.onNew;
          case PRIMARY -> s.onNew;
          case MERGE -> Math.max(s.onOld, s.onNew);
          case BACK -> s.onOld;
        };
    return shown < s.newestPromise()
        ? Optional.of(s.kind() + " loses v" + s.newestPromise() + ": it shows v" + shown)
        : Optional.empty();
  }

  // ---- the coordinator and its pass

  private void coordinator(EraState s, Steps<EraState> steps) {
    boolean all = true;
    for (int i = 0; i < s.instances.length; i++) {
      all &= isAcknowledged(s, i);
    }
    switch (s.kind()) {
      case LED -> {
        if (s.onNew < s.onOld) {
          steps.add("stream: S gets v" + s.onOld, t -> t.arriveOnNew(t.onOld));
        }
        if (!scope.isFenced() || s.onNew >= s.onOld || !on(EraRule.ERA_DRAINED)) {
          steps.add("coordinator: L hands over to the clocks", t -> t.enter(Kind.PRIMARY));
        }
      }
      case PRIMARY -> {
        if (all) {
          steps.add("coordinator: the merge begins", t -> t.enter(Kind.MERGE));
        }
        back(s, steps);
      }
      case MERGE -> {
        merging(s, steps, all);
        back(s, steps);
      }
      case BACK -> {}
    }
  }

  private void merging(EraState s, Steps<EraState> steps, boolean all) {
    boolean mayPass = all || !on(EraRule.ERA_PASS_AFTER_ALL);
    if (!s.pass.isBusy() && !s.passed && mayPass) {
      steps.add(
          "pass: begins",
          t -> {
            t.pass.work = Work.PASS;
            t.pass.workEpoch = t.epoch;
          });
    }
    if (s.pass.isBusy()) {
      new Turn(s, -1, steps).merge();
    }
    if (!s.ready && (s.passed || !on(EraRule.ERA_PASS_FIRST))) {
      steps.add("coordinator: closes the gate on S", t -> t.ready = true);
    }
    if (s.returnsLeft > 0 && s.passed && all && !(s.ready && on(EraRule.ERA_GATE_CLOSED))) {
      steps.add(
          "another coordinator: new-primary again",
          t -> {
            t.returnsLeft--;
            t.enter(Kind.PRIMARY);
          });
    }
  }

  private void back(EraState s, Steps<EraState> steps) {
    if (s.ready) {
      steps.add(
          "coordinator: L leads again",
          t -> {
            t.enter(Kind.BACK);
            t.refuseOnOld();
          });
    }
  }

  /** Returns whether the coordinator need not wait for an instance. */
  private boolean isAcknowledged(EraState s, int index) {
    ClockProcess instance = s.instances[index];
    if (!s.known[index]) {
      return !instance.leased || !on(EraRule.ERA_LEASES_OUTLASTED);
    }
    boolean drained = !instance.isBusy() || instance.workEpoch == instance.epoch;
    return !instance.leased || (instance.epoch == s.epoch && drained);
  }

  /** One instance, or the pass, in one state. */
  private final class Turn {
    private final EraState s;
    private final int index;
    private final ClockProcess me;
    private final Steps<EraState> all;

    Turn(EraState s, int index, Steps<EraState> all) {
      this.s = s;
      this.index = index;
      this.all = all;
      me = isPass() ? s.pass : s.instances[index];
    }

    private boolean isPass() {
      return index < 0;
    }

    private void add(String label, BiConsumer<EraState, ClockProcess> change) {
      String name = isPass() ? "pass" : String.valueOf((char) ('A' + index));
      all.add(name + ": " + label, t -> change.accept(t, isPass() ? t.pass : t.instances[index]));
    }

    void instance() {
      if (me.epoch < s.epoch || !me.leased) {
        add("reports, learns " + s.kind(), this::report);
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

    /** A lease of the other keeper ends with the report that shows who keeps the gate now. */
    private void report(EraState t, ClockProcess i) {
      boolean isOther = t.kindOf(i.epoch) == Kind.LED && t.hasMoved();
      if (isOther) {
        i.loseLease();
      }
      i.learn(t.epoch);
      t.known[index] |= t.hasMoved();
    }

    private void begin() {
      String in = " begins in " + s.kindOf(me.epoch);
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
    }

    private void take(EraState t, ClockProcess i, Work work) {
      i.work = work;
      i.workEpoch = i.epoch;
      i.leaseBroken = !i.leased;
      i.atLeast = t.newestPromise();
    }

    /** L has refused the operation, which nobody has: the instance hears of the phase by that. */
    private void refused() {
      add(
          "L refuses, learns " + s.kind(),
          (t, i) -> {
            i.startAgain(t.epoch);
            i.leased = false;
            i.leaseBroken = true;
          });
    }

    private void startAgain(String why) {
      add(
          why + ", reports, starts again in " + s.kind(),
          (t, i) -> {
            i.startAgain(t.epoch);
            t.known[index] |= t.hasMoved();
          });
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
      Kind kind = s.kindOf(me.workEpoch);
      if (me.stage == Stage.CALL) {
        switch (kind) {
          case LED -> {
            if (s.hasMoved() && (s.isBack() || on(EraRule.ERA_MOVED_REFUSES))) {
              refused();
            } else {
              issue(s.drawn + 1);
            }
          }
          case PRIMARY -> draw(Registers.NEW);
          case MERGE -> {
            if (s.isBack()) {
              refused();
            } else {
              draw(Registers.OLD);
            }
          }
          case BACK -> issue(on(EraRule.ERA_LEADS_ABOVE) ? s.drawn + 1 : s.issued + 1);
        }
      } else {
        await(kind);
      }
    }

    /** L draws the version and commits the write. */
    private void issue(int version) {
      boolean isDone = s.isBack() || scope.isFenced();
      add(
          "L issues v" + version,
          (t, i) -> {
            t.drawn = Math.max(t.drawn, version);
            t.issued = Math.max(t.issued, version);
            t.arriveOnOld(version);
            i.version = version;
            if (isDone) {
              t.acknowledge(i);
            } else {
              send(t, i, version, Registers.NEW);
            }
          });
    }

    private void draw(int stores) {
      int version = s.drawn + 1;
      add(
          "draws v" + version + ", sends it to " + names(stores),
          (t, i) -> {
            t.drawn = version;
            send(t, i, version, stores);
          });
    }

    private void await(Kind kind) {
      boolean isRefused = kind == Kind.MERGE && s.isBack() && (me.sent & Registers.OLD) == 0;
      if (isRefused && me.sent == 0) {
        refused();
      } else if (isRefused || kind == Kind.BACK) {
        ended();
      } else if (s.isAcknowledged(me.version, me.sent)) {
        acknowledged(kind);
      } else if (kind == Kind.MERGE
          && !on(EraRule.ERA_MERGE_ACKNOWLEDGED)
          && (me.sent & Registers.NEW) == 0) {
        add("sends v" + me.version + " to S", (t, i) -> send(t, i, i.version, Registers.NEW));
      } else if (kind == Kind.MERGE
          && !on(EraRule.ERA_MERGE_ACKNOWLEDGED)
          && s.isAcknowledged(me.version, Registers.NEW)) {
        add("v" + me.version + " is acknowledged", Registers::acknowledge);
      }
    }

    /** L leads again: what both had is acknowledged, the rest is unknown. */
    private void ended() {
      boolean isOnBoth = me.sent == Registers.BOTH && s.isAcknowledged(me.version, Registers.BOTH);
      if (isOnBoth || !on(EraRule.ERA_UNKNOWN_ON_NEW)) {
        add("v" + me.version + " is acknowledged", Registers::acknowledge);
      } else {
        add("L leads again: unknown outcome", (t, i) -> i.end());
      }
    }

    private void acknowledged(Kind kind) {
      if (kind == Kind.LED) {
        add("v" + me.version + " is acknowledged", Registers::acknowledge);
      } else if (kind == Kind.MERGE && (me.sent & Registers.NEW) == 0) {
        add("sends v" + me.version + " to S", (t, i) -> send(t, i, i.version, Registers.NEW));
      } else if (!me.leaseBroken || !on(EraRule.ERA_POST_CHECK)) {
        add(
            "v" + me.version + " is acknowledged" + (kind == Kind.PRIMARY ? ", L follows" : ""),
            (t, i) -> {
              if (kind == Kind.PRIMARY && !t.isBack()) {
                t.send(i.version, Registers.OLD);
              }
              t.acknowledge(i);
            });
      } else {
        boolean needsOld = s.kind() == Kind.MERGE && (me.sent & Registers.OLD) == 0;
        add(
            "its lease is over, learns " + s.kind() + (needsOld ? ", sends to L" : ""),
            (t, i) -> {
              i.takeAgain(t.epoch);
              t.known[index] = true;
              if (needsOld) {
                send(t, i, i.version, Registers.OLD);
              }
            });
      }
    }

    private void send(EraState t, ClockProcess i, int version, int stores) {
      i.version = version;
      i.sent |= stores;
      i.stage = Stage.AWAIT;
      t.send(version, stores);
    }

    private String names(int stores) {
      return stores == Registers.OLD ? "L" : "S";
    }

    // ---- reads

    private void read() {
      Kind kind = s.kindOf(me.workEpoch);
      boolean isOfOld = kind == Kind.BACK || (kind == Kind.LED && scope.isFenced());
      if (isOfOld) {
        if (kind == Kind.LED && s.hasMoved()) {
          refused();
        } else {
          add("L has v" + s.onOld + ", returned", (t, i) -> t.answer(i, t.onOld));
        }
      } else if (me.stage == Stage.CALL && me.leaseBroken) {
        startAgain("its lease is over");
      } else if (kind == Kind.MERGE) {
        merge();
      } else {
        add("S has v" + s.onNew + ", returned", (t, i) -> t.answer(i, t.onNew));
      }
    }

    // ---- the merge of L and S, by a reader and by the pass

    void merge() {
      boolean isRefused = s.isBack();
      switch (me.stage) {
        case CALL -> {
          if (isRefused) {
            refused();
          } else {
            add("L has v" + s.onOld, (t, i) -> keep(i, Stage.HAS_OLD, t.onOld));
          }
          add("S has v" + s.onNew, (t, i) -> keep(i, Stage.HAS_NEW, t.onNew));
        }
        case HAS_OLD -> decide(me.read, s.onNew, "S has v" + s.onNew);
        case HAS_NEW -> {
          if (isRefused) {
            refused();
          } else {
            decide(s.onOld, me.read, "L has v" + s.onOld);
          }
        }
        case AWAIT -> {
          if (me.sent == 0) {
            refused();
          } else if (s.isAcknowledged(me.version, me.sent)) {
            finish("v" + me.version + " is written");
          }
        }
      }
    }

    private void keep(ClockProcess i, Stage stage, int version) {
      i.stage = stage;
      i.read = version;
    }

    private void decide(int old, int fresh, String label) {
      int newest = Math.max(old, fresh);
      int target = old == fresh ? 0 : old > fresh ? Registers.NEW : Registers.OLD;
      boolean isLate = s.isBack() && target == Registers.OLD;
      if (isLate) {
        refused();
      } else if (target == 0 || (!isPass() && !on(EraRule.ERA_MERGE_WRITES))) {
        finish(label, newest);
      } else {
        add(
            label + ", writes v" + newest + " to " + names(target),
            (t, i) -> send(t, i, newest, target));
      }
    }

    private void finish(String label) {
      finish(label, me.version);
    }

    private void finish(String label, int version) {
      if (isPass()) {
        add(
            label + ", done",
            (t, i) -> {
              i.end();
              t.passed = true;
            });
      } else if (me.leaseBroken) {
        startAgain(label + ", its lease is over");
      } else {
        add(label + ", returned", (t, i) -> t.answer(i, version));
      }
    }
  }
}
