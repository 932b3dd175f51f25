package dev.kvshift.memory;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.Gate.Instance;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.GateRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The gate of one table or lock space: its record and the leases of its instances. Guarded by its
 * owner's monitor.
 */
final class LeaderGate {
  /** Added to a lease before an instance is taken for gone. */
  private static final Duration LEASE_MARGIN = Duration.ofSeconds(1);

  private final String collection;
  private final Map<String, Instance> instances = new LinkedHashMap<>();
  private GateRecord record = GateRecord.first();

  LeaderGate(String collection) {
    this.collection = collection;
  }

  State state(long versionCeiling) {
    return record.state().withVersionCeiling(versionCeiling);
  }

  @Nullable Fence fence() {
    return record.state().fence();
  }

  void admitRead(long callerEpoch) {
    record.admitRead(collection, callerEpoch);
  }

  void admitWrite(long callerEpoch) {
    record.admitWrite(collection, callerEpoch);
  }

  boolean compareAndSet(State expected, State next) {
    GateRecord stepped = record.stepped(collection, expected, next);
    if (stepped == null) {
      return false;
    }
    record = stepped;
    return true;
  }

  /** Returns the attempt's fence if it stands already, and null if it is to be raised. */
  @Nullable Fence fenceFor(String attempt, Duration lifetime) {
    return record.fenceFor(collection, attempt, lifetime);
  }

  void raise(Fence fence) {
    record = record.fenced(fence);
  }

  /** Returns whether a fence stood for the attempt, which no longer does. */
  boolean lift(String attempt) {
    boolean stood = record.hasFenceOf(attempt);
    record = record.lifted(collection, attempt);
    return stood;
  }

  /** Returns whether the collection was handed over just now. */
  boolean move(String attempt) {
    return become(record.moved(collection, attempt));
  }

  /** Returns whether the collection was handed over just now. */
  boolean seal(long epoch, long lastVersion) {
    return become(record.sealed(collection, epoch, lastVersion));
  }

  private boolean become(GateRecord next) {
    boolean changed = !next.equals(record);
    record = next;
    return changed;
  }

  void register(String instance, long acknowledged, Instant now) {
    GateRecord.requireName("instance", instance);
    long epoch = record.state().epoch();
    if (acknowledged > epoch) {
      throw new KvException.Permanent(
          "instance " + instance + " acknowledges epoch " + acknowledged + ", it is " + epoch);
    }
    forgetGone(now);
    if (instances.size() == GateRecord.MAX_INSTANCES && !instances.containsKey(instance)) {
      throw new KvException.Transient(
          "collection "
              + collection
              + " has "
              + GateRecord.MAX_INSTANCES
              + " registered instances, the limit: try again later");
    }
    instances.put(instance, new Instance(instance, acknowledged, now.plus(Gate.LEASE)));
  }

  List<Instance> instances(Instant now) {
    forgetGone(now);
    return new ArrayList<>(instances.values());
  }

  private void forgetGone(Instant now) {
    instances.values().removeIf(instance -> !instance.leaseEnds().plus(LEASE_MARGIN).isAfter(now));
  }
}
