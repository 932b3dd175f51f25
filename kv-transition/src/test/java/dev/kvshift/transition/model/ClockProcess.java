package dev.kvshift.transition.model;

/** An instance of a service and the one operation that it may have in progress, or the pass. */
final class ClockProcess {
  /** The work in progress. */
  enum Work {
    NONE,
    READ,
    PUT,
    DELETE,
    /** The runner's pass over the key. */
    PASS,
    /** The runner's back-fill of the key. */
    FILL;

    boolean isWrite() {
      return this == PUT || this == DELETE;
    }
  }

  /** The progress of the work. */
  enum Stage {
    /** Sends its first request. */
    CALL,
    /** A merge has read L, and asks S. */
    HAS_OLD,
    /** A merge has read S, and asks L. */
    HAS_NEW,
    /** Waits until the stores have acknowledged {@link #version}. */
    AWAIT
  }

  /** The newest epoch it has learned, in which new operations start. */
  int epoch;

  boolean leased = true;
  Work work = Work.NONE;
  Stage stage = Stage.CALL;

  /** The epoch the operation took at its start, or when it was checked last. */
  int workEpoch;

  /** True if the lease was over when the operation took its epoch, or at any time since. */
  boolean leaseBroken;

  /** The highest version that was acknowledged or returned before the operation began. */
  int atLeast;

  /** The version written, or returned in the end. */
  int version;

  /** The stores to which it was sent: {@link Registers#OLD} and {@link Registers#NEW}. */
  int sent;

  /** The version that a merge has read from L, or from S. */
  int read;

  ClockProcess copy() {
    ClockProcess copy = new ClockProcess();
    copy.epoch = epoch;
    copy.leased = leased;
    copy.work = work;
    copy.stage = stage;
    copy.workEpoch = workEpoch;
    copy.leaseBroken = leaseBroken;
    copy.atLeast = atLeast;
    copy.version = version;
    copy.sent = sent;
    copy.read = read;
    return copy;
  }

  /** Reads the record of the phase, and gets a new lease. */
  void learn(int current) {
    epoch = current;
    leased = true;
  }

  void loseLease() {
    leased = false;
    leaseBroken |= isBusy();
  }

  /** Takes the current epoch for the operation in progress. */
  void takeAgain(int current) {
    learn(current);
    workEpoch = current;
    leaseBroken = false;
  }

  /** Begins the operation in progress again. */
  void startAgain(int current) {
    takeAgain(current);
    stage = Stage.CALL;
    version = 0;
    sent = 0;
    read = 0;
  }

  void end() {
    work = Work.NONE;
    stage = Stage.CALL;
    workEpoch = 0;
    leaseBroken = false;
    atLeast = 0;
    version = 0;
    sent = 0;
    read = 0;
  }

  boolean isBusy() {
    return work != Work.NONE;
  }

  /** Returns all fields in one number: 32 bits. */
  @SuppressWarnings("EnumOrdinal") // The number lives no longer than the walk.
  long packed() {
    long bits = epoch;
    bits = bits << 1 | (leased ? 1 : 0);
    bits = bits << 3 | work.ordinal();
    bits = bits << 2 | stage.ordinal();
    bits = bits << 4 | workEpoch;
    bits = bits << 1 | (leaseBroken ? 1 : 0);
    bits = bits << 5 | atLeast;
    bits = bits << 5 | version;
    bits = bits << 2 | sent;
    return bits << 5 | read;
  }
}
