package dev.kvshift.transition.model;

import dev.kvshift.spi.Phase;
import dev.kvshift.transition.model.Instance.Operation;
import dev.kvshift.transition.model.Instance.Stage;
import dev.kvshift.transition.model.Instance.Standing;
import dev.kvshift.transition.model.Model.Steps;
import java.util.Set;
import java.util.function.BiConsumer;

/** The instances of {@link PhaseModel}: the library inside a service. */
final class Service {
  private final Set<PhaseRule> off;

  Service(Set<PhaseRule> off) {
    this.off = off;
  }

  private boolean on(PhaseRule rule) {
    return !off.contains(rule);
  }

  /** Adds the steps that an instance can take. */
  void steps(PhaseState s, int i, Steps<PhaseState> all) {
    new Turn(s, i, all).steps();
  }

  /** Returns whether L refuses a request. */
  boolean refuses(PhaseState s, int epoch) {
    return on(PhaseRule.ACCEPT_MIN) && epoch < s.acceptMin;
  }

  /** L commits a write, unless it has done so already, and returns its version. */
  int commit(PhaseState t, int write, boolean again) {
    int version = t.versionOf(write);
    if (version == 0 || again || !on(PhaseRule.DEDUPLICATION)) {
      int next = t.onLeader + 2;
      while (t.isDrawn(next)) {
        next += 2;
      }
      version = t.draw(next, write);
    }
    t.onLeader = Math.max(t.onLeader, version);
    return version;
  }

  /** One instance in one state. */
  private final class Turn {
    private final PhaseState s;
    private final int index;
    private final Instance me;
    private final Steps<PhaseState> all;

    Turn(PhaseState s, int index, Steps<PhaseState> all) {
      this.s = s;
      this.index = index;
      this.all = all;
      me = s.instances[index];
    }

    private void add(String label, BiConsumer<PhaseState, Instance> change) {
      all.add((char) ('A' + index) + ": " + label, t -> change.accept(t, t.instances[index]));
    }

    void steps() {
      if (me.standing != Standing.SERVING) {
        start();
        return;
      }
      if (s.crashesLeft > 0) {
        add("crashes", (t, i) -> crash(t, i));
      }
      if (me.epoch < s.epoch || !me.leased) {
        add("renews its lease, learns " + s.phase().word(), (t, i) -> i.learn(t.epoch));
      }
      if (me.leased && (me.isBusy() || me.epoch < s.epoch)) {
        add("loses its lease", (t, i) -> i.loseLease());
      }
      switch (me.operation) {
        case NONE -> begin();
        case READ -> read();
        default -> write();
      }
    }

    private void crash(PhaseState t, Instance i) {
      t.crashesLeft--;
      i.crash();
    }

    private void start() {
      boolean first = me.standing == Standing.DOWN;
      if (first == on(PhaseRule.REGISTER_FIRST)) {
        add(
            "registers",
            (t, i) -> {
              i.standing = first ? Standing.STARTING : Standing.SERVING;
              i.leased = true;
            });
      } else {
        add(
            "reads the phase, " + s.phase().word(),
            (t, i) -> {
              i.standing = first ? Standing.STARTING : Standing.SERVING;
              i.epoch = t.epoch;
              i.leased = true;
            });
      }
    }

    // ---- beginning and ending an operation

    private void begin() {
      String in = " begins in " + s.phaseOf(me.epoch).word();
      if (s.readsLeft > 0) {
        add(
            "a read" + in,
            (t, i) -> {
              t.readsLeft--;
              take(t, i, Operation.READ);
            });
      }
      if (s.putsLeft > 0) {
        add(
            "put " + (s.writes + 1) + in,
            (t, i) -> {
              t.putsLeft--;
              take(t, i, Operation.PUT);
            });
      }
      if (s.deletesLeft > 0) {
        add(
            "delete " + (s.writes + 1) + in,
            (t, i) -> {
              t.deletesLeft--;
              take(t, i, Operation.DELETE);
            });
      }
      if (s.hugePutsLeft > 0) {
        add(
            "put " + (s.writes + 1) + ", too large for S," + in,
            (t, i) -> {
              t.hugePutsLeft--;
              take(t, i, Operation.HUGE_PUT);
            });
      }
    }

    private void take(PhaseState t, Instance i, Operation operation) {
      i.operation = operation;
      i.operationEpoch = i.epoch;
      i.leaseBroken = !i.leased;
      i.atLeast = t.newestPromise();
      if (operation.isWrite()) {
        i.write = ++t.writes;
        t.deletes |= operation == Operation.DELETE ? 1 << i.write : 0;
        t.hugeWrites |= operation == Operation.HUGE_PUT ? 1 << i.write : 0;
      }
    }

    private void startAgain(String why) {
      add(why + ", starts again in " + s.phase().word(), (t, i) -> i.startAgain(t.epoch));
    }

    // ---- writes

    private void write() {
      if (s.lossesLeft > 0) {
        add(
            "the deadline ends write " + me.write + ": unknown outcome",
            (t, i) -> {
              t.lossesLeft--;
              i.end();
            });
      }
      Phase phase = s.phaseOf(me.operationEpoch);
      switch (me.stage) {
        case CALL -> {
          if (me.operation == Operation.HUGE_PUT && isRefusedAsHuge(phase)) {
            add("write " + me.write + " is too large: refused", (t, i) -> i.end());
          } else if (phase == Phase.NEW_ONLY) {
            writeNewStore();
          } else if (phase != Phase.LEGACY && !on(PhaseRule.LEADER_FIRST)) {
            writeNewStoreFirst();
          } else {
            writeLeader(phase);
          }
        }
        case AWAIT_NEW_STORE -> awaitNewStore();
        case COMMIT_LATE -> commitLate();
        case AWAIT_ANSWER, CHECK_LEASE -> throw new AssertionError("a write reads nothing");
      }
    }

    /** Before dual-write S may be down, and must not be in the way. */
    private boolean isRefusedAsHuge(Phase phase) {
      return switch (phase) {
        case LEGACY, SHADOW_WRITE -> false;
        case DUAL_WRITE, SHADOW_READ, NEW_READ, NEW_PRIMARY -> on(PhaseRule.LIMITS_OF_BOTH);
        case NEW_ONLY -> true;
      };
    }

    private void writeLeader(Phase phase) {
      if (refuses(s, me.operationEpoch)) {
        refused();
        return;
      }
      if (s.lossesLeft > 0 && s.lateWrite == 0) {
        add(
            "its request of write " + me.write + " to L times out",
            (t, i) -> {
              t.lossesLeft--;
              t.lateWrite = i.write;
              t.lateEpoch = i.operationEpoch;
              i.uncertain = true;
            });
      }
      String committed = "L commits write " + me.write;
      boolean alone = phase == Phase.LEGACY || phase == Phase.SHADOW_WRITE;
      if (alone) {
        add(committed + ", acknowledged", (t, i) -> acknowledge(t, i, false));
      }
      if (phase == Phase.SHADOW_WRITE) {
        add(committed + ", sends it to S, acknowledged", (t, i) -> acknowledge(t, i, true));
      }
      if (!alone && on(PhaseRule.BOTH_ACKNOWLEDGE)) {
        add(
            committed + ", sends it to S",
            (t, i) -> {
              i.version = commit(t, i.write, i.wantsNewVersion);
              send(t, i);
            });
      } else if (!alone) {
        add(committed + ", sends it to S, acknowledged", (t, i) -> acknowledge(t, i, true));
      }
    }

    private void acknowledge(PhaseState t, Instance i, boolean send) {
      i.version = commit(t, i.write, i.wantsNewVersion);
      if (send) {
        Service.this.send(t, i.version);
      }
      t.acknowledge(i);
    }

    private void refused() {
      if (me.uncertain && on(PhaseRule.CERTAINLY_REFUSED)) {
        add("L refuses write " + me.write + ": unknown outcome", (t, i) -> i.end());
      } else {
        startAgain("L refuses write " + me.write);
      }
    }

    private void writeNewStore() {
      boolean late = !on(PhaseRule.FLOOR_WAIT) && !s.isDrawn(s.floor - 1);
      // A gap, since clocks differ.
      int version = late ? s.floor - 1 : s.drawn + 4;
      add(
          "draws v" + version + " for write " + me.write + ", sends it to S",
          (t, i) -> {
            i.version = t.draw(version, i.write);
            send(t, i);
          });
    }

    private void send(PhaseState t, Instance i) {
      Service.this.send(t, i.version);
      i.stage = Stage.AWAIT_NEW_STORE;
      i.wantsNewVersion = false;
    }

    private void awaitNewStore() {
      if ((s.inFlight >> me.version & 1) == 0) {
        Phase phase = s.phaseOf(me.operationEpoch);
        if (me.operation == Operation.READ) {
          add("S has v" + me.version + ", returned", (t, i) -> t.answer(i, i.version));
        } else if (phase == Phase.NEW_ONLY || on(PhaseRule.LEADER_FIRST)) {
          add("S has v" + me.version + ", acknowledged", (t, i) -> t.acknowledge(i));
        } else {
          add("S has v" + me.version, (t, i) -> i.stage = Stage.COMMIT_LATE);
        }
      }
      if (!on(PhaseRule.SAME_VERSION) && me.operation.isWrite() && s.lossesLeft > 0) {
        add(
            "S times out, tries again with another version",
            (t, i) -> {
              t.lossesLeft--;
              i.stage = Stage.CALL;
              i.wantsNewVersion = true;
            });
      }
    }

    private void writeNewStoreFirst() {
      int version = s.drawn + 2;
      add(
          "sends write " + me.write + " to S as v" + version,
          (t, i) -> {
            i.version = t.draw(version, i.write);
            send(t, i);
          });
    }

    private void commitLate() {
      if (refuses(s, me.operationEpoch)) {
        refused();
      } else {
        add(
            "L commits v" + me.version + ", acknowledged",
            (t, i) -> {
              t.onLeader = Math.max(t.onLeader, i.version);
              t.acknowledge(i);
            });
      }
    }

    // ---- reads

    private void read() {
      Phase phase = s.phaseOf(me.operationEpoch);
      switch (me.stage) {
        case CALL -> {
          switch (phase) {
            case LEGACY, SHADOW_WRITE, DUAL_WRITE -> readLeader(false);
            case SHADOW_READ -> readLeader(true);
            case NEW_READ -> {
              // L by the ramp, after a miss, or because S is failing.
              readLeader(true);
              readNewStore();
            }
            case NEW_PRIMARY -> readNewStore();
            case NEW_ONLY ->
                add("S has v" + s.onNewStore + ", returned", (t, i) -> t.answer(i, t.onNewStore));
          }
        }
        case AWAIT_NEW_STORE -> awaitNewStore();
        case AWAIT_ANSWER -> awaitAnswer();
        case CHECK_LEASE -> checkLease();
        case COMMIT_LATE -> throw new AssertionError("a read commits nothing");
      }
    }

    private void readLeader(boolean helps) {
      if (refuses(s, me.operationEpoch)) {
        startAgain("L refuses the read");
        return;
      }
      int version = s.onLeader;
      boolean needed =
          helps
              && on(PhaseRule.HELP)
              && version > s.watermark
              && !s.isHuge(version)
              && (!s.isTombstone(version) || on(PhaseRule.HELP_TOMBSTONES));
      if (!needed) {
        add("L has v" + version + ", returned", (t, i) -> t.answer(i, version));
      } else if (on(PhaseRule.HELP_AWAITED)) {
        add(
            "L has v" + version + ", helps S",
            (t, i) -> {
              i.version = version;
              send(t, i);
            });
      } else {
        add(
            "L has v" + version + ", helps S, returned",
            (t, i) -> {
              Service.this.send(t, version);
              t.answer(i, version);
            });
      }
    }

    private void readNewStore() {
      if (isLeaseOver()) {
        startAgain("its lease is over");
        return;
      }
      add("asks S", (t, i) -> i.stage = Stage.AWAIT_ANSWER);
    }

    private void awaitAnswer() {
      boolean miss = s.onNewStore == 0 || s.isTombstone(s.onNewStore);
      if (miss && s.phaseOf(me.operationEpoch) == Phase.NEW_READ) {
        add("S has nothing", (t, i) -> i.stage = Stage.CALL);
        return;
      }
      add(
          "S has v" + s.onNewStore,
          (t, i) -> {
            i.version = t.onNewStore;
            i.stage = Stage.CHECK_LEASE;
          });
    }

    private void checkLease() {
      if (isLeaseOver() && on(PhaseRule.POST_CHECK)) {
        startAgain("its lease is over, discards v" + me.version);
      } else {
        add("returns v" + me.version, (t, i) -> t.answer(i, i.version));
      }
    }

    private boolean isLeaseOver() {
      return !me.leased || (me.leaseBroken && on(PhaseRule.LEASE_UNBROKEN));
    }
  }

  /** Sends a version to S. What would change nothing has arrived at once. */
  private void send(PhaseState t, int version) {
    if (version > t.onNewStore || !on(PhaseRule.VERSION_OF_LEADER)) {
      t.inFlight |= 1 << version;
    }
  }
}
