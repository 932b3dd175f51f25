package dev.kvshift.transition.model;

import dev.kvshift.spi.Phase;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A state of {@link PhaseModel}: one key on L and S, the messages in flight, the coordinator, the
 * instances, and what has been promised to callers so far.
 *
 * <p>Values are not needed: no two writes have the same version, so a version stands for its value.
 * L draws even versions; a set of versions is a bit mask.
 */
final class PhaseState {
  static final int MAX_VERSION = 30;
  static final int INITIAL = 2;

  // L: the gate and the key
  int epoch;
  int acceptMin;

  /** The phase of each epoch. */
  private Phase[] phases;

  int onLeader = INITIAL;

  /** A request of a write that is on its way to L although its sender has given it up; 0: none. */
  int lateWrite;

  int lateEpoch;

  // S
  int onNewStore;
  int inFlight;

  /** True once S's record is active(floor). */
  boolean active;

  // stream and coordinator
  int watermark = INITIAL;

  /** L's last position, which W must reach before new-read; 0: not sampled yet. */
  int sample;

  boolean certified;
  int floor;

  /** The highest version drawn by anybody. */
  int drawn = INITIAL;

  /** Which write each version belongs to; 0 for the initial row. */
  private byte[] writers = new byte[MAX_VERSION + 1];

  /** The writes that are deletes, and those that S cannot hold: bits by number. */
  int deletes;

  int hugeWrites;

  int writes;

  /** The versions that were acknowledged or returned. */
  private int promised = 1 << INITIAL;

  // what is left of the scope
  int stepsLeft;
  int readsLeft;
  int putsLeft;
  int deletesLeft;
  int hugePutsLeft;
  int lossesLeft;
  int crashesLeft;
  int wipesLeft;

  Instance[] instances;

  /** The property that the step into this state has violated; empty if none. */
  String broken = "";

  PhaseState(PhaseScope scope) {
    phases = new Phase[] {scope.from()};
    onNewStore = scope.copied() ? INITIAL : 0;
    inFlight = scope.copied() ? 0 : 1 << INITIAL;
    certified = scope.copied();
    stepsLeft = scope.steps();
    readsLeft = scope.reads();
    putsLeft = scope.puts();
    deletesLeft = scope.deletes();
    hugePutsLeft = scope.hugePuts();
    lossesLeft = scope.losses();
    crashesLeft = scope.crashes();
    wipesLeft = scope.wipes();
    instances = new Instance[scope.instances() + scope.joiners()];
    for (int i = 0; i < instances.length; i++) {
      instances[i] = new Instance();
      if (i < scope.instances()) {
        instances[i].learn(0);
      }
    }
  }

  private PhaseState(PhaseState other) {
    epoch = other.epoch;
    acceptMin = other.acceptMin;
    phases = other.phases;
    onLeader = other.onLeader;
    lateWrite = other.lateWrite;
    lateEpoch = other.lateEpoch;
    onNewStore = other.onNewStore;
    inFlight = other.inFlight;
    active = other.active;
    watermark = other.watermark;
    sample = other.sample;
    certified = other.certified;
    floor = other.floor;
    drawn = other.drawn;
    writers = other.writers;
    deletes = other.deletes;
    hugeWrites = other.hugeWrites;
    writes = other.writes;
    promised = other.promised;
    stepsLeft = other.stepsLeft;
    readsLeft = other.readsLeft;
    putsLeft = other.putsLeft;
    deletesLeft = other.deletesLeft;
    hugePutsLeft = other.hugePutsLeft;
    lossesLeft = other.lossesLeft;
    crashesLeft = other.crashesLeft;
    wipesLeft = other.wipesLeft;
    instances = new Instance[other.instances.length];
    for (int i = 0; i < instances.length; i++) {
      instances[i] = other.instances[i].copy();
    }
  }

  PhaseState copy() {
    return new PhaseState(this);
  }

  Phase phase() {
    return phases[epoch];
  }

  Phase phaseOf(int anEpoch) {
    return phases[anEpoch];
  }

  /** Raises the epoch. */
  void enter(Phase next) {
    phases = Arrays.copyOf(phases, epoch + 2);
    epoch++;
    phases[epoch] = next;
    stepsLeft--;
    sample = 0;
  }

  /** S's copy is dropped; another one is begun with what L has now. */
  void wipe() {
    wipesLeft--;
    onNewStore = 0;
    watermark = onLeader;
    inFlight |= 1 << onLeader;
    certified = false;
  }

  // ---- versions

  /** Gives a write a version and returns it. */
  int draw(int version, int write) {
    writers = writers.clone();
    writers[version] = (byte) write;
    drawn = Math.max(drawn, version);
    return version;
  }

  boolean isDrawn(int version) {
    return version == INITIAL || writers[version] != 0;
  }

  /** Returns the highest version of a write, 0 if it has none. */
  int versionOf(int write) {
    for (int version = drawn; version > INITIAL; version--) {
      if (writers[version] == write) {
        return version;
      }
    }
    return 0;
  }

  boolean isTombstone(int version) {
    return (deletes >> writers[version] & 1) != 0;
  }

  boolean isHuge(int version) {
    return (hugeWrites >> writers[version] & 1) != 0;
  }

  // ---- promises to callers

  /** Returns the highest version that was acknowledged or returned. */
  int newestPromise() {
    return 31 - Integer.numberOfLeadingZeros(promised);
  }

  void acknowledge(Instance instance) {
    int version = instance.version;
    if (version <= instance.atLeast) {
      broken = "lost write: v" + version + " is acknowledged, v" + instance.atLeast + " hides it";
    }
    promise(version);
    instance.end();
  }

  void answer(Instance instance, int version) {
    if (version < instance.atLeast) {
      broken = "stale read: v" + version + " is returned, v" + instance.atLeast + " was before";
    }
    promise(version);
    instance.end();
  }

  private void promise(int version) {
    promised |= 1 << version;
    if (broken.isEmpty() && cameBack(version)) {
      broken = "overwritten write came back: v" + version;
    }
  }

  /** Returns whether a write was seen, overwritten, and is seen again at another version. */
  private boolean cameBack(int again) {
    int write = writers[again];
    for (int first = INITIAL; first < again; first++) {
      if (write != 0 && writers[first] == write && isPromised(first)) {
        for (int between = first + 1; between < again; between++) {
          if (isPromised(between) && writers[between] != write) {
            return true;
          }
        }
      }
    }
    return false;
  }

  private boolean isPromised(int version) {
    return (promised >> version & 1) != 0;
  }

  // ---- encoding

  @SuppressWarnings("EnumOrdinal") // The bytes live no longer than the walk.
  void write(ByteBuffer out) {
    out.put((byte) epoch).put((byte) acceptMin);
    for (Phase phase : phases) {
      out.put((byte) phase.ordinal());
    }
    out.put((byte) onLeader).put((byte) lateWrite).put((byte) lateEpoch);
    out.put((byte) onNewStore).putInt(inFlight);
    out.put((byte) ((active ? 1 : 0) | (certified ? 2 : 0)));
    out.put((byte) watermark).put((byte) sample).put((byte) floor).put((byte) drawn);
    out.put(writers, 0, drawn + 1);
    out.put((byte) deletes).put((byte) hugeWrites).put((byte) writes).putInt(promised);
    out.put((byte) stepsLeft).put((byte) readsLeft).put((byte) putsLeft);
    out.put((byte) deletesLeft).put((byte) hugePutsLeft);
    out.put((byte) lossesLeft).put((byte) crashesLeft).put((byte) wipesLeft);
    long[] packed = new long[instances.length];
    for (int i = 0; i < instances.length; i++) {
      packed[i] = instances[i].packed();
    }
    // Which instance does what makes no difference.
    Arrays.sort(packed);
    for (long each : packed) {
      out.putLong(each);
    }
  }
}
