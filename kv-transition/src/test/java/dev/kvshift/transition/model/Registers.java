package dev.kvshift.transition.model;

import java.nio.ByteBuffer;

/**
 * One key on L and S, which keep the newest version of what reaches them, the messages in flight to
 * both, and what has been promised to callers so far.
 *
 * <p>A version stands for the one write that has drawn it. A set of versions is a bit mask.
 */
abstract class Registers {
  static final int OLD = 1;
  static final int NEW = 2;
  static final int BOTH = OLD | NEW;

  int onOld;
  int onNew;
  int toOld;
  int toNew;

  /** The highest version drawn by anybody. */
  int drawn;

  /** The versions that were acknowledged or returned. */
  private int promised;

  /** The property that the step into this state has violated; empty if none. */
  String broken = "";

  /** Creates two empty stores. */
  Registers(int drawn) {
    this.drawn = drawn;
  }

  Registers(Registers other) {
    onOld = other.onOld;
    onNew = other.onNew;
    toOld = other.toOld;
    toNew = other.toNew;
    drawn = other.drawn;
    promised = other.promised;
  }

  // ---- messages

  /** Sends a version to some stores. What would change nothing has arrived at once. */
  final void send(int version, int stores) {
    if ((stores & OLD) != 0 && version > onOld) {
      toOld |= 1 << version;
    }
    if ((stores & NEW) != 0 && version > onNew) {
      toNew |= 1 << version;
    }
  }

  final void arriveOnOld(int version) {
    toOld &= ~(1 << version);
    if (version > onOld) {
      onOld = version;
      toOld &= -1 << version;
    }
  }

  final void arriveOnNew(int version) {
    toNew &= ~(1 << version);
    if (version > onNew) {
      onNew = version;
      toNew &= -1 << version;
    }
  }

  /** Returns whether all of the stores have acknowledged a version that was sent to them. */
  final boolean isAcknowledged(int version, int stores) {
    return ((stores & OLD) == 0 || (toOld >> version & 1) == 0)
        && ((stores & NEW) == 0 || (toNew >> version & 1) == 0);
  }

  /** Adds the arrival of each message in flight. */
  static <S extends Registers> void arrivals(S s, Model.Steps<S> steps) {
    for (int version = 1; version <= s.drawn; version++) {
      int v = version;
      if ((s.toOld >> v & 1) != 0) {
        steps.add("L applies v" + v, t -> t.arriveOnOld(v));
      }
      if ((s.toNew >> v & 1) != 0) {
        steps.add("S applies v" + v, t -> t.arriveOnNew(v));
      }
    }
  }

  // ---- promises to callers

  final void promise(int version) {
    promised |= 1 << version;
  }

  /** Returns the highest version that was acknowledged or returned; 0 for none. */
  final int newestPromise() {
    return promised == 0 ? 0 : 31 - Integer.numberOfLeadingZeros(promised);
  }

  final void acknowledge(ClockProcess process) {
    int version = process.version;
    if (version <= process.atLeast) {
      broken = "lost write: v" + version + " is acknowledged, v" + process.atLeast + " hides it";
    }
    promise(version);
    process.end();
  }

  final void answer(ClockProcess process, int version) {
    if (version < process.atLeast) {
      broken = "stale read: v" + version + " is returned, v" + process.atLeast + " was before";
    }
    if (version > 0) {
      promise(version);
    }
    process.end();
  }

  final void writeRegisters(ByteBuffer out) {
    out.put((byte) onOld).put((byte) onNew).putInt(toOld).putInt(toNew);
    out.put((byte) drawn).putInt(promised);
  }
}
