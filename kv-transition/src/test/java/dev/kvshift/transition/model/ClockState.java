package dev.kvshift.transition.model;

import dev.kvshift.spi.Phase;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** A state of {@link ClockModel}: the registers, the phases, the instances and the pass. */
final class ClockState extends Registers {
  /** The version of the initial row, which is F too. */
  static final int INITIAL = 2;

  int epoch;

  /** The phase of each epoch. */
  private Phase[] phases;

  /** Whether the version below F was drawn, without {@link ClockRule#ABOVE_FLOOR}. */
  boolean belowFloor;

  /** The versions that are tombstones. */
  int tombstones;

  /** The tombstones that no reader can see: those of new-only. */
  int unreadable;

  /** Whether a pass has ended since the last step. */
  boolean passed;

  /** The epoch in which the key was back-filled last, and one more; 0 if it never was. */
  int filled;

  ClockProcess pass = new ClockProcess();
  ClockProcess[] instances;

  // what is left of the scope
  int stepsLeft;
  int readsLeft;
  int putsLeft;
  int deletesLeft;
  int lossesLeft;

  ClockState(ClockScope scope) {
    super(INITIAL);
    phases = new Phase[] {scope.from()};
    if (scope.start() != ClockScope.Start.EMPTY) {
      promise(INITIAL);
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
    super(other);
    epoch = other.epoch;
    phases = other.phases;
    belowFloor = other.belowFloor;
    tombstones = other.tombstones;
    unreadable = other.unreadable;
    passed = other.passed;
    filled = other.filled;
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

  boolean isTombstone(int version) {
    return (tombstones >> version & 1) != 0;
  }

  boolean isUnreadable(int version) {
    return (unreadable >> version & 1) != 0;
  }

  // ---- encoding

  @SuppressWarnings("EnumOrdinal") // The bytes live no longer than the walk.
  void write(ByteBuffer out) {
    out.put((byte) epoch);
    for (Phase phase : phases) {
      out.put((byte) phase.ordinal());
    }
    writeRegisters(out);
    out.put((byte) ((belowFloor ? 1 : 0) | (passed ? 2 : 0))).put((byte) filled);
    out.putInt(tombstones).putInt(unreadable).putLong(pass.packed());
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
