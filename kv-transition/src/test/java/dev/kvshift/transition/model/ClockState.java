package dev.kvshift.transition.model;

import dev.kvshift.spi.Phase;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A state of {@link ClockModel}: one key on L and S, the messages in flight, the phases, the
 * instances, the pass, and what has been promised to callers so far.
 *
 * <p>A version stands for the one write that has drawn it. A set of versions is a bit mask.
 */
final class ClockState {
  static final int OLD = 1;
  static final int NEW = 2;
  static final int BOTH = OLD | NEW;

  /** The version of the initial row, which is F too. */
  static final int INITIAL = 2;

  int epoch;

  /** The phase of each epoch. */
  private Phase[] phases;

  int onOld;
  int onNew;
  int toOld;
  int toNew;

  /** The highest version drawn by anybody. */
  int drawn = INITIAL;

  /** Whether the version below F was drawn, without {@link ClockRule#ABOVE_FLOOR}. */
  boolean belowFloor;

  /** The versions that are tombstones. */
  int tombstones;

  /** The tombstones that no reader can see: those of new-only. */
  int unreadable;

  /** The versions that were acknowledged or returned. */
  private int promised;

  /** Whether a pass has ended since the last step. */
  boolean passed;

  ClockProcess pass = new ClockProcess();
  ClockProcess[] instances;

  // what is left of the scope
  int stepsLeft;
  int readsLeft;
  int putsLeft;
  int deletesLeft;
  int lossesLeft;

  /** The property that the step into this state has violated; empty if none. */
  String broken = "";

  ClockState(ClockScope scope) {
    phases = new Phase[] {scope.from()};
    if (scope.start() != ClockScope.Start.EMPTY) {
      promised = 1 << INITIAL;
      onOld = INITIAL;
      onNew = scope.start() == ClockScope.Start.COPIED ? INITIAL : 0;
      toNew = scope.start() == ClockScope.Start.COPIED ? 0 : 1 << INITIAL;
    }
    stepsLeft = scope.steps();
    readsLeft = scope.reads();
    putsLeft = scope.puts();
    deletesLeft = scope.deletes();
    lossesLeft = scope.losses();
    instances = new ClockProcess[scope.instances()];
    Arrays.setAll(instances, i -> new ClockProcess());
  }

  private ClockState(ClockState other) {
    epoch = other.epoch;
    phases = other.phases;
    onOld = other.onOld;
    onNew = other.onNew;
    toOld = other.toOld;
    toNew = other.toNew;
    drawn = other.drawn;
    belowFloor = other.belowFloor;
    tombstones = other.tombstones;
    unreadable = other.unreadable;
    promised = other.promised;
    passed = other.passed;
    pass = other.pass.copy();
    instances = new ClockProcess[other.instances.length];
    Arrays.setAll(instances, i -> other.instances[i].copy());
    stepsLeft = other.stepsLeft;
    readsLeft = other.readsLeft;
    putsLeft = other.putsLeft;
    deletesLeft = other.deletesLeft;
    lossesLeft = other.lossesLeft;
  }

  ClockState copy() {
    return new ClockState(this);
  }

  Phase phase() {
    return phases[epoch];
  }

  Phase phaseOf(int anEpoch) {
    return phases[anEpoch];
  }

  /** Raises the epoch. A pass that was begun counts no longer. */
  void enter(Phase next) {
    phases = Arrays.copyOf(phases, epoch + 2);
    epoch++;
    phases[epoch] = next;
    stepsLeft--;
    passed = false;
    pass.end();
  }

  // ---- messages

  /** Sends a version to some stores. What would change nothing has arrived at once. */
  void send(int version, int stores) {
    if ((stores & OLD) != 0 && version > onOld) {
      toOld |= 1 << version;
    }
    if ((stores & NEW) != 0 && version > onNew) {
      toNew |= 1 << version;
    }
  }

  void arriveOnOld(int version) {
    toOld &= ~(1 << version);
    if (version > onOld) {
      onOld = version;
      toOld &= -1 << version;
    }
  }

  void arriveOnNew(int version) {
    toNew &= ~(1 << version);
    if (version > onNew) {
      onNew = version;
      toNew &= -1 << version;
    }
  }

  /** Returns whether all of the stores have acknowledged a version that was sent to them. */
  boolean isAcknowledged(int version, int stores) {
    return ((stores & OLD) == 0 || (toOld >> version & 1) == 0)
        && ((stores & NEW) == 0 || (toNew >> version & 1) == 0);
  }

  boolean isTombstone(int version) {
    return (tombstones >> version & 1) != 0;
  }

  boolean isUnreadable(int version) {
    return (unreadable >> version & 1) != 0;
  }

  // ---- promises to callers

  /** Returns the highest version that was acknowledged or returned; 0 for none. */
  int newestPromise() {
    return promised == 0 ? 0 : 31 - Integer.numberOfLeadingZeros(promised);
  }

  void acknowledge(ClockProcess process) {
    int version = process.version;
    if (version <= process.atLeast) {
      broken = "lost write: v" + version + " is acknowledged, v" + process.atLeast + " hides it";
    }
    promised |= 1 << version;
    process.end();
  }

  void answer(ClockProcess process, int version) {
    if (version < process.atLeast) {
      broken = "stale read: v" + version + " is returned, v" + process.atLeast + " was before";
    }
    if (version > 0) {
      promised |= 1 << version;
    }
    process.end();
  }

  // ---- encoding

  @SuppressWarnings("EnumOrdinal") // The bytes live no longer than the walk.
  void write(ByteBuffer out) {
    out.put((byte) epoch);
    for (Phase phase : phases) {
      out.put((byte) phase.ordinal());
    }
    out.put((byte) onOld).put((byte) onNew).putInt(toOld).putInt(toNew);
    out.put((byte) drawn).put((byte) ((belowFloor ? 1 : 0) | (passed ? 2 : 0)));
    out.putInt(tombstones).putInt(unreadable).putInt(promised).putLong(pass.packed());
    out.put((byte) stepsLeft).put((byte) readsLeft).put((byte) putsLeft);
    out.put((byte) deletesLeft).put((byte) lossesLeft);
    long[] packed = new long[instances.length];
    Arrays.setAll(packed, i -> instances[i].packed());
    // Which instance does what makes no difference.
    Arrays.sort(packed);
    for (long each : packed) {
      out.putLong(each);
    }
  }
}
