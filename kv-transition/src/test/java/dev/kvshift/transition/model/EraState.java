package dev.kvshift.transition.model;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A state of {@link EraModel}: one key on L and S, the messages in flight, who leads, the
 * instances, the pass, and what has been promised to callers so far.
 *
 * <p>A version stands for the one write that has drawn it. A set of versions is a bit mask.
 */
final class EraState {
  static final int OLD = 1;
  static final int NEW = 2;
  static final int BOTH = OLD | NEW;

  /** The version of the initial row. */
  private static final int INITIAL = 1;

  /** What an epoch asks of its operations. */
  enum Kind {
    /** L leads, before the move. */
    LED,
    /** S answers and acknowledges alone, and L follows. */
    PRIMARY,
    /** Both are merged. */
    MERGE,
    /** L leads again. */
    BACK
  }

  int epoch;
  private Kind[] kinds = {Kind.LED};
  int onOld = INITIAL;
  int onNew = INITIAL;
  int toOld;
  int toNew;

  /** The highest version drawn by anybody, and by L. */
  int drawn = INITIAL;

  int issued = INITIAL;

  /** The versions that were acknowledged or returned. */
  private int promised = 1 << INITIAL;

  /** Whether a pass has ended since the last step. */
  boolean passed;

  /** Whether L may lead again: a pass has ended, and the gate on S is closed. */
  boolean ready;

  ClockProcess pass = new ClockProcess();
  ClockProcess[] instances;

  /** The instances that the gate on S knows, by their numbers. */
  boolean[] known;

  // what is left of the scope
  int readsLeft;
  int putsLeft;
  int lossesLeft;
  int returnsLeft;

  /** The property that the step into this state has violated; empty if none. */
  String broken = "";

  EraState(EraScope scope) {
    readsLeft = scope.reads();
    putsLeft = scope.puts();
    lossesLeft = scope.losses();
    returnsLeft = scope.returns();
    instances = new ClockProcess[scope.instances()];
    Arrays.setAll(instances, i -> new ClockProcess());
    known = new boolean[scope.instances()];
  }

  private EraState(EraState other) {
    epoch = other.epoch;
    kinds = other.kinds;
    onOld = other.onOld;
    onNew = other.onNew;
    toOld = other.toOld;
    toNew = other.toNew;
    drawn = other.drawn;
    issued = other.issued;
    promised = other.promised;
    passed = other.passed;
    ready = other.ready;
    pass = other.pass.copy();
    instances = new ClockProcess[other.instances.length];
    Arrays.setAll(instances, i -> other.instances[i].copy());
    known = other.known.clone();
    readsLeft = other.readsLeft;
    putsLeft = other.putsLeft;
    lossesLeft = other.lossesLeft;
    returnsLeft = other.returnsLeft;
  }

  EraState copy() {
    return new EraState(this);
  }

  Kind kind() {
    return kinds[epoch];
  }

  Kind kindOf(int anEpoch) {
    return kinds[anEpoch];
  }

  boolean hasMoved() {
    return epoch > 0;
  }

  boolean isBack() {
    return kind() == Kind.BACK;
  }

  /** Raises the epoch. A pass that was begun counts no longer. */
  void enter(Kind next) {
    kinds = Arrays.copyOf(kinds, epoch + 2);
    epoch++;
    kinds[epoch] = next;
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

  /** Lets L refuse every message that is on its way, and tells their senders. */
  void refuseOnOld() {
    for (ClockProcess instance : instances) {
      if ((instance.sent & OLD) != 0 && (toOld >> instance.version & 1) != 0) {
        instance.sent &= ~OLD;
      }
    }
    toOld = 0;
  }

  /** Returns whether all of the stores have acknowledged a version that was sent to them. */
  boolean isAcknowledged(int version, int stores) {
    return ((stores & OLD) == 0 || (toOld >> version & 1) == 0)
        && ((stores & NEW) == 0 || (toNew >> version & 1) == 0);
  }

  // ---- promises to callers

  /** Returns the highest version that was acknowledged or returned. */
  int newestPromise() {
    return 31 - Integer.numberOfLeadingZeros(promised);
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
    promised |= 1 << version;
    process.end();
  }

  // ---- encoding

  @SuppressWarnings("EnumOrdinal") // The bytes live no longer than the walk.
  void write(ByteBuffer out) {
    out.put((byte) epoch);
    for (Kind kind : kinds) {
      out.put((byte) kind.ordinal());
    }
    out.put((byte) onOld).put((byte) onNew).putInt(toOld).putInt(toNew);
    out.put((byte) drawn).put((byte) issued).putInt(promised);
    out.put((byte) ((passed ? 1 : 0) | (ready ? 2 : 0))).putLong(pass.packed());
    out.put((byte) readsLeft).put((byte) putsLeft).put((byte) lossesLeft).put((byte) returnsLeft);
    long[] packed = new long[instances.length];
    Arrays.setAll(packed, i -> instances[i].packed() << 1 | (known[i] ? 1 : 0));
    // Which instance does what makes no difference.
    Arrays.sort(packed);
    for (long each : packed) {
      out.putLong(each);
    }
  }
}
