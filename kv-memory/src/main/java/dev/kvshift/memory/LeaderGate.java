package dev.kvshift.memory;

import dev.kvshift.spi.Call;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.Gate.Instance;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.GateRecord;
import dev.kvshift.spi.InstanceRegistry;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Usage;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The gate of one table or lock space: its record and the leases of its instances. Guarded by its
 * owner's monitor.
 */
final class LeaderGate {
  private static final long RUNNER = Call.within(Duration.ZERO).ungated().epoch();

  private final String collection;
  private final InstanceRegistry instances;
  private final List<Listener> listeners = new ArrayList<>();
  private final Clock clock;
  private final Instant since;
  private @Nullable Instant lastUse;
  private GateRecord record = GateRecord.first();
  private Set<String> givenUp = Set.of();

  private record Listener(Object owner, LongConsumer epochs) {}

  LeaderGate(String collection, Clock clock) {
    this.collection = collection;
    this.clock = clock;
    this.since = clock.instant();
    this.instances = new InstanceRegistry(collection, clock, System::nanoTime);
  }

  State state(long versionCeiling) {
    return record.state().withVersionCeiling(versionCeiling);
  }

  @Nullable Fence fence() {
    return record.state().fence();
  }

  void admitRead(long callerEpoch) {
    note(callerEpoch);
    record.admitRead(collection, callerEpoch);
  }

  void admitWrite(long callerEpoch) {
    note(callerEpoch);
    record.admitWrite(collection, callerEpoch);
  }

  void admitWrite(long callerEpoch, boolean isVersioned) {
    note(callerEpoch);
    record.admitWrite(collection, callerEpoch, isVersioned);
  }

  boolean isClockOrdered() {
    return record.state().isClockOrdered();
  }

  private void note(long callerEpoch) {
    if (callerEpoch != RUNNER) {
      lastUse = clock.instant();
    }
  }

  /** Clients in memory have no names, so that all of them count as one. */
  Usage usage(Instant from) {
    return Usage.of(
        since,
        lastUse == null || lastUse.isBefore(from)
            ? List.of()
            : List.of(Usage.Client.of("a client in this process", lastUse)));
  }

  boolean compareAndSet(State expected, State next) {
    GateRecord stepped = record.stepped(collection, expected, next, instances);
    if (stepped == null) {
      return false;
    }
    become(stepped);
    return true;
  }

  /** Returns the attempt's fence if it is raised already; null if it has to be raised. */
  @Nullable Fence fenceFor(String attempt, FenceOptions options) {
    return record.fenceFor(collection, attempt, options, instances);
  }

  void raise(Fence fence, FenceOptions options) {
    record = record.fenced(fence);
    givenUp = options.givenUp();
  }

  /** Returns whether this call has lifted a fence of the attempt. */
  boolean lift(String attempt) {
    boolean stood = record.hasFenceOf(attempt);
    record = record.lifted(collection, attempt);
    return stood;
  }

  /** Returns whether the collection was handed over just now. */
  boolean move(String attempt) {
    return become(moved(attempt));
  }

  /** Hands over with a floor that is not below the given version. */
  void move(String attempt, long lastVersion) {
    GateRecord next = moved(attempt);
    become(next.equals(record) ? record : next.withFloorAbove(lastVersion));
  }

  boolean isHandedOver() {
    return record.isHandedOver();
  }

  /**
   * Checks that a move would succeed, and changes nothing.
   *
   * @throws dev.kvshift.api.KvException what the move would throw
   */
  void requireMovable(String attempt) {
    moved(attempt);
  }

  private GateRecord moved(String attempt) {
    return record.moved(collection, attempt, instances, givenUp);
  }

  /** Returns whether the collection was handed over just now. */
  boolean seal(long epoch, long lastVersion) {
    return become(record.sealed(collection, epoch, lastVersion, instances));
  }

  void applied(long version, long lastVersion) {
    become(record.applied(collection, version, lastVersion));
  }

  private boolean become(GateRecord next) {
    boolean changed = !next.equals(record);
    long epoch = next.state().epoch();
    boolean newer = epoch > record.state().epoch();
    record = next;
    if (newer) {
      listeners.forEach(listener -> listener.epochs.accept(epoch));
    }
    return changed;
  }

  void report(InstanceReport report) {
    instances.forgetGone();
    instances.report(report, record.state().epoch());
  }

  List<Instance> instances() {
    return instances.instances();
  }

  void listen(Object owner, LongConsumer epochs) {
    listeners.add(new Listener(owner, epochs));
  }

  void forget(Object owner) {
    listeners.removeIf(listener -> listener.owner == owner);
  }
}
