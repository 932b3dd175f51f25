package dev.kvshift.memory;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.Gate.Instance;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StalePhase;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The gate of one table: phase, epochs, fence, instances. Guarded by the table's monitor. */
final class GateRecord {
  static final int MAX_INSTANCES = 10_000;

  /** What is added to a lease before an instance is taken for gone. */
  static final Duration LEASE_MARGIN = Duration.ofSeconds(1);

  private static final Duration MIN_FENCE = Duration.ofSeconds(1);
  private static final Duration MAX_FENCE = Duration.ofSeconds(60);
  private static final int MAX_REMEMBERED_ATTEMPTS = 1_000;

  private final String collection;
  private final Map<String, Instance> instances = new LinkedHashMap<>();
  private final Set<String> ended = new LinkedHashSet<>();
  private long epoch;
  private Phase phase = Phase.LEGACY;
  private long acceptMin;
  private @Nullable Fence fence;
  private @Nullable String movedBy;
  private long sealedAt = -1;
  private long floor;
  private long incarnation = 1;

  GateRecord(String collection) {
    this.collection = collection;
  }

  State state(long versionCeiling) {
    return new State(
        epoch, phase, acceptMin, fence, sealedAt >= 0, floor, versionCeiling, incarnation);
  }

  @Nullable Fence fence() {
    return fence;
  }

  boolean isHandedOver() {
    return phase == Phase.NEW_ONLY;
  }

  /** Refuses a request of an older epoch, and every one once sealed. */
  void admit(long callerEpoch) {
    if (callerEpoch < acceptMin || sealedAt >= 0) {
      throw stale();
    }
  }

  /** Refuses a write once the collection is handed over, whatever its epoch. */
  void admitWrite(long callerEpoch) {
    admit(callerEpoch);
    if (isHandedOver()) {
      throw stale();
    }
  }

  boolean compareAndSet(State expected, State next) {
    if (expected.epoch() != epoch || expected.acceptMin() != acceptMin) {
      return false;
    }
    requireOpen();
    if (fence != null) {
      throw new KvException.Transient(
          "collection " + collection + " is fenced by attempt " + fence.attempt() + ": lift it");
    }
    boolean step = next.phase() != phase;
    if (next.epoch() < epoch
        || next.acceptMin() < acceptMin
        || next.acceptMin() > next.epoch()
        || next.incarnation() < incarnation
        || (step && next.epoch() == epoch)
        || !next.phase().isStepFrom(phase)) {
      throw new KvException.Permanent(
          "the gate of collection "
              + collection
              + " goes to a neighbouring phase, and epoch, acceptMin and incarnation never fall:"
              + " from "
              + expected
              + " it cannot go to "
              + next);
    }
    if (step && next.phase() == Phase.NEW_ONLY) {
      throw new KvException.Permanent(
          "collection " + collection + " goes to NEW_ONLY by move or seal: use one of them");
    }
    epoch = next.epoch();
    phase = next.phase();
    acceptMin = next.acceptMin();
    incarnation = next.incarnation();
    return true;
  }

  /** Returns the fence that stands for the attempt, or null where it is to be raised. */
  @Nullable Fence standing(String attempt, Duration lifetime) {
    requireOpen();
    if (lifetime.compareTo(MIN_FENCE) < 0 || lifetime.compareTo(MAX_FENCE) > 0) {
      throw new KvException.Permanent("fence of " + lifetime + ": give 1 to 60 s");
    }
    if (fence != null && !fence.attempt().equals(attempt)) {
      throw new KvException.Transient(
          "collection " + collection + " is fenced by attempt " + fence.attempt() + ": wait");
    }
    if (ended.contains(attempt)) {
      throw new KvException.Permanent(
          "the fence of attempt " + attempt + " was lifted: begin another attempt");
    }
    return fence;
  }

  void raise(Fence raised) {
    fence = raised;
  }

  /** Takes the fence away; false where none of that attempt stands. */
  boolean lift(String attempt) {
    requireOpen();
    if (fence == null || !fence.attempt().equals(attempt)) {
      end(attempt);
      return false;
    }
    fence = null;
    end(attempt);
    return true;
  }

  /** Hands over to the new store; true where it changed anything. */
  boolean move(String attempt) {
    if (attempt.equals(movedBy)) {
      return false;
    }
    requireOpen();
    Fence standing = fence;
    if (standing == null || !standing.attempt().equals(attempt)) {
      throw new KvException.Permanent(
          "the fence of attempt " + attempt + " no longer stands: begin another attempt");
    }
    handOver(standing.version());
    movedBy = attempt;
    fence = null;
    return true;
  }

  /** Seals and hands over; true where it changed anything. */
  boolean seal(long expectedEpoch, long lastVersion) {
    if (sealedAt == expectedEpoch) {
      return false;
    }
    requireOpen();
    if (expectedEpoch != epoch) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " is in epoch "
              + epoch
              + ", not "
              + expectedEpoch
              + ": read its state again");
    }
    if (fence != null) {
      throw new KvException.Transient(
          "collection " + collection + " is fenced by attempt " + fence.attempt() + ": lift it");
    }
    sealedAt = epoch;
    handOver(lastVersion);
    return true;
  }

  void register(String instance, long acknowledged, Instant now) {
    if (acknowledged > epoch) {
      throw new KvException.Permanent(
          "instance " + instance + " acknowledges epoch " + acknowledged + ", it is " + epoch);
    }
    forgetGone(now);
    if (instances.size() == MAX_INSTANCES && !instances.containsKey(instance)) {
      throw new KvException.Transient(
          MAX_INSTANCES + " instances of " + collection + " are registered: try again later");
    }
    instances.put(instance, new Instance(instance, acknowledged, now.plus(Gate.LEASE)));
  }

  List<Instance> instances(Instant now) {
    forgetGone(now);
    return new ArrayList<>(instances.values());
  }

  KvException stale() {
    return new StalePhase(collection, epoch, phase, floor);
  }

  private void forgetGone(Instant now) {
    instances.values().removeIf(instance -> !instance.leaseEnds().plus(LEASE_MARGIN).isAfter(now));
  }

  private void handOver(long newFloor) {
    epoch++;
    acceptMin = epoch;
    phase = Phase.NEW_ONLY;
    floor = newFloor;
  }

  private void requireOpen() {
    if (isHandedOver()) {
      throw stale();
    }
  }

  private void end(String attempt) {
    ended.add(attempt);
    if (ended.size() > MAX_REMEMBERED_ATTEMPTS) {
      ended.remove(ended.iterator().next());
    }
  }
}
