package dev.kvshift.transition.model;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** A state of {@link EraModel}: the registers, who leads, the instances and the pass. */
final class EraState extends Registers {
  /** The version of the initial row. */
  private static final int INITIAL = 1;

  /** The kind of an epoch. */
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

  /** The highest version drawn by L. */
  int issued = INITIAL;

  /** True once a pass has ended since the last step. */
  boolean passed;

  /** True once L may lead again: a pass has ended, and the gate on S is closed. */
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

  EraState(EraScope scope) {
    super(INITIAL);
    onOld = INITIAL;
    onNew = INITIAL;
    promise(INITIAL);
    readsLeft = scope.reads();
    putsLeft = scope.puts();
    lossesLeft = scope.losses();
    returnsLeft = scope.returns();
    instances = new ClockProcess[scope.instances()];
    Arrays.setAll(instances, i -> new ClockProcess());
    known = new boolean[scope.instances()];
  }

  private EraState(EraState other) {
    super(other);
    epoch = other.epoch;
    kinds = other.kinds;
    issued = other.issued;
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

  /** Lets L refuse every message that is on its way, and tells their senders. */
  void refuseOnOld() {
    for (ClockProcess instance : instances) {
      if ((instance.sent & OLD) != 0 && (toOld >> instance.version & 1) != 0) {
        instance.sent &= ~OLD;
      }
    }
    toOld = 0;
  }

  // ---- encoding

  @SuppressWarnings("EnumOrdinal") // The bytes live no longer than the walk.
  void write(ByteBuffer out) {
    out.put((byte) epoch);
    for (Kind kind : kinds) {
      out.put((byte) kind.ordinal());
    }
    writeRegisters(out);
    out.put((byte) issued);
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
