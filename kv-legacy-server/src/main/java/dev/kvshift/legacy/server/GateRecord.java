package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StalePhase;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A collection's gate as it is stored: {@link Gate.State}, which attempt has moved it, and the
 * attempts whose fences were lifted last, which never stand again.
 */
record GateRecord(
    long epoch,
    Phase phase,
    long acceptMin,
    Gate.@Nullable Fence fence,
    boolean sealed,
    long floor,
    long incarnation,
    @Nullable String movedBy,
    List<String> ended) {

  static final GateRecord FIRST =
      new GateRecord(0, Phase.LEGACY, 0, null, false, 0, 1, null, List.of());

  private static final int MAX_ENDED = 64;

  GateRecord {
    ended = List.copyOf(ended);
  }

  Gate.State state(long versionCeiling) {
    return Gate.State.first()
        .withEpoch(epoch)
        .withPhase(phase)
        .withAcceptMin(acceptMin)
        .withFence(fence)
        .withSealed(sealed)
        .withFloor(floor)
        .withVersionCeiling(versionCeiling)
        .withIncarnation(incarnation);
  }

  GateRecord fenced(Gate.Fence raised) {
    return new GateRecord(
        epoch, phase, acceptMin, raised, sealed, floor, incarnation, movedBy, ended);
  }

  /** Returns the record without the attempt's fence, which does not stand again. */
  GateRecord lifted(String attempt) {
    List<String> attempts = new ArrayList<>(ended);
    attempts.add(attempt);
    Gate.Fence left = fence != null && fence.attempt().equals(attempt) ? null : fence;
    return new GateRecord(
        epoch,
        phase,
        acceptMin,
        left,
        sealed,
        floor,
        incarnation,
        movedBy,
        attempts.subList(Math.max(0, attempts.size() - MAX_ENDED), attempts.size()));
  }

  GateRecord stepped(Gate.State next) {
    return new GateRecord(
        next.epoch(),
        next.phase(),
        next.acceptMin(),
        null,
        false,
        floor,
        next.incarnation(),
        null,
        ended);
  }

  /** Returns the record after the hand-over, which no request of an older epoch survives. */
  GateRecord handedOver(long newFloor, @Nullable String attempt) {
    return new GateRecord(
        epoch + 1,
        Phase.NEW_ONLY,
        epoch + 1,
        null,
        attempt == null,
        newFloor,
        incarnation,
        attempt,
        ended);
  }

  void checkRead(String collection, long requestEpoch) {
    if (requestEpoch < acceptMin || sealed) {
      throw stale(collection);
    }
  }

  /** In new-only the leader takes no write, of whatever epoch. */
  void checkWrite(String collection, long requestEpoch) {
    if (requestEpoch < acceptMin || phase == Phase.NEW_ONLY) {
      throw stale(collection);
    }
  }

  KvException stale(String collection) {
    return new StalePhase(collection, epoch, phase, floor);
  }
}
