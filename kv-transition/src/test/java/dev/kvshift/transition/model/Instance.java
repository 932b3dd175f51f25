package dev.kvshift.transition.model;

/** An instance of a service and the one operation that it may have in progress. */
final class Instance {
  /** The progress of an instance's start. */
  enum Standing {
    DOWN,
    /** Done with the first of registering and reading the phase. */
    STARTING,
    SERVING
  }

  /** The operation in progress. */
  enum Operation {
    NONE,
    READ,
    PUT,
    DELETE,
    /** A put of a value that L can hold and S cannot. */
    HUGE_PUT;

    boolean isWrite() {
      return this != NONE && this != READ;
    }
  }

  /** The next action of the operation. */
  enum Stage {
    /** Sends its first request. */
    CALL,
    /** Waits until S has applied {@link #version}. */
    AWAIT_NEW_STORE,
    /** Waits until S answers a read. */
    AWAIT_ANSWER,
    /** Has S's reply, and checks the lease before it returns it. */
    CHECK_LEASE,
    /** Without LEADER_FIRST: is applied on S, and calls L. */
    COMMIT_LATE
  }

  Standing standing = Standing.DOWN;

  /** The newest epoch it has learned, in which new operations start. */
  int epoch;

  boolean leased;

  Operation operation = Operation.NONE;
  Stage stage = Stage.CALL;

  /** The epoch the operation took at its start. */
  int operationEpoch;

  /** True if the lease was over when the operation took its epoch, or at any time since. */
  boolean leaseBroken;

  /** The highest version that was acknowledged or returned before the operation began. */
  int atLeast;

  /** The number of the write; 0 for a read. */
  int write;

  /** The version written, read or helped. */
  int version;

  /** True if an earlier attempt on L has timed out, so that it may be applied. */
  boolean uncertain;

  /** Without SAME_VERSION: asks for another version although it has one. */
  boolean wantsNewVersion;

  Instance copy() {
    Instance copy = new Instance();
    copy.standing = standing;
    copy.epoch = epoch;
    copy.leased = leased;
    copy.operation = operation;
    copy.stage = stage;
    copy.operationEpoch = operationEpoch;
    copy.leaseBroken = leaseBroken;
    copy.atLeast = atLeast;
    copy.write = write;
    copy.version = version;
    copy.uncertain = uncertain;
    copy.wantsNewVersion = wantsNewVersion;
    return copy;
  }

  /** Learns the phase and gets a new lease, as with every reply of L. */
  void learn(int current) {
    standing = Standing.SERVING;
    epoch = current;
    leased = true;
  }

  void loseLease() {
    leased = false;
    leaseBroken |= operation != Operation.NONE;
  }

  /** Begins the operation in progress again, in the current phase. */
  void startAgain(int current) {
    learn(current);
    operationEpoch = current;
    leaseBroken = false;
    stage = Stage.CALL;
    version = 0;
  }

  void end() {
    operation = Operation.NONE;
    stage = Stage.CALL;
    operationEpoch = 0;
    leaseBroken = false;
    atLeast = 0;
    write = 0;
    version = 0;
    uncertain = false;
    wantsNewVersion = false;
  }

  void crash() {
    end();
    standing = Standing.DOWN;
    epoch = 0;
    leased = false;
  }

  boolean isBusy() {
    return operation != Operation.NONE;
  }

  /** Returns all fields in one number: 44 bits. */
  @SuppressWarnings("EnumOrdinal") // The number lives no longer than the walk.
  long packed() {
    long bits = standing.ordinal();
    bits = bits << 4 | epoch;
    bits = bits << 1 | (leased ? 1 : 0);
    bits = bits << 3 | operation.ordinal();
    bits = bits << 3 | stage.ordinal();
    bits = bits << 4 | operationEpoch;
    bits = bits << 1 | (leaseBroken ? 1 : 0);
    bits = bits << 5 | atLeast;
    bits = bits << 4 | write;
    bits = bits << 5 | version;
    bits = bits << 1 | (uncertain ? 1 : 0);
    return bits << 1 | (wantsNewVersion ? 1 : 0);
  }
}
