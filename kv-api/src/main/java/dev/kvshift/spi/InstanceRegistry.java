package dev.kvshift.spi;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.InstancesNotReady.Obstacle;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The users of one collection, for stores that hold its gate: the instances whose lease may still
 * hold, and the clients that use it without a report. A client without a report cannot be known to
 * follow a hand-over, so that it counts as an instance that is not ready.
 *
 * <p>Does no I/O: a leader keeps the names of instances durably, and restores them. Safe for use by
 * many threads.
 */
public final class InstanceRegistry {
  /** The time after the end of its lease at which an instance counts as gone: 1 s. */
  public static final Duration LEASE_MARGIN = Duration.ofSeconds(1);

  /** The time for which a client without a report is remembered after its last request: 10 s. */
  public static final Duration CLIENT_MEMORY = Duration.ofSeconds(10);

  /** Maximum number of clients without a report that are listed by name; others share one name. */
  public static final int MAX_CLIENTS = 1_000;

  private static final String OTHER_CLIENTS = "other clients";

  private final String collection;
  private final Clock clock;
  private final LongSupplier nanoTime;
  private final Map<String, Lease> leases = new ConcurrentHashMap<>();
  private final Map<String, Long> clients = new ConcurrentHashMap<>();

  private record Lease(Gate.Instance instance, long endNanos) {}

  /**
   * Creates an empty registry.
   *
   * @param clock the leader's wall clock, by which the end of a lease is reported
   * @param nanoTime the leader's monotonic clock, which alone ends them
   */
  public InstanceRegistry(String collection, Clock clock, LongSupplier nanoTime) {
    this.collection = collection;
    this.clock = clock;
    this.nanoTime = nanoTime;
  }

  private long in(Duration time) {
    return nanoTime.getAsLong() + time.toNanos();
  }

  private boolean hasPassed(long nanos) {
    return nanoTime.getAsLong() - nanos >= 0;
  }

  /**
   * Records a report, or renews the lease. A leader first makes the name of a new instance durable,
   * so that a restart does not forget who may still act.
   *
   * @param epoch the collection's present epoch
   * @throws KvException.Permanent if the instance acknowledges an epoch that has not begun
   * @throws KvException.Transient if there are too many instances
   */
  public void report(InstanceReport report, long epoch) {
    InstanceReport.Use use = requireUse(report);
    if (use.acknowledged() > epoch) {
      throw new KvException.Permanent(
          "instance "
              + report.instance()
              + " acknowledges epoch "
              + use.acknowledged()
              + " of collection "
              + collection
              + ", which is in epoch "
              + epoch);
    }
    if (isNew(report.instance()) && leases.size() >= GateRecord.MAX_INSTANCES) {
      throw new KvException.Transient(
          "collection "
              + collection
              + " has "
              + GateRecord.MAX_INSTANCES
              + " registered instances, the limit: try again later");
    }
    Gate.Instance instance = Gate.Instance.of(report, use, clock.instant().plus(Gate.LEASE));
    leases.put(report.instance(), new Lease(instance, in(Gate.LEASE.plus(LEASE_MARGIN))));
  }

  private InstanceReport.Use requireUse(InstanceReport report) {
    InstanceReport.Use use = report.uses().get(collection);
    if (use == null) {
      throw new IllegalArgumentException(report + " does not use collection " + collection);
    }
    return use;
  }

  /** Returns whether the instance is not registered. */
  public boolean isNew(String instance) {
    return !leases.containsKey(instance);
  }

  /** Remembers an instance from before a restart, with a new lease, until it reports again. */
  public void restore(String instance, long acknowledged) {
    InstanceReport report =
        InstanceReport.of(instance, "unknown service")
            .withNewestPhase(Phase.NEW_ONLY)
            .withUse(
                collection,
                InstanceReport.Use.acknowledging(acknowledged)
                    .withProblem("it has not reported since the leader started: wait for it"));
    report(report, Long.MAX_VALUE);
  }

  /** Records a request by a client that has not reported this collection. */
  public void noteClient(String client) {
    String name =
        clients.containsKey(client) || clients.size() < MAX_CLIENTS ? client : OTHER_CLIENTS;
    clients.put(name, in(CLIENT_MEMORY));
  }

  /** Removes the instances whose lease is over, and returns their names. */
  public List<String> forgetGone() {
    List<String> gone = new ArrayList<>();
    for (Lease lease : List.copyOf(leases.values())) {
      String name = lease.instance.name();
      if (hasPassed(lease.endNanos) && leases.remove(name, lease)) {
        gone.add(name);
      }
    }
    clients.values().removeIf(this::hasPassed);
    return gone;
  }

  /** Lists the instances whose lease may still hold, and the clients without a report. */
  public List<Gate.Instance> instances() {
    List<Gate.Instance> all = new ArrayList<>();
    for (Lease lease : leases.values()) {
      if (!hasPassed(lease.endNanos)) {
        all.add(lease.instance);
      }
    }
    clients.forEach(
        (client, end) -> {
          if (!hasPassed(end)) {
            all.add(unreported(client, end));
          }
        });
    all.sort(Comparator.comparing(Gate.Instance::name));
    return all;
  }

  private Gate.Instance unreported(String client, long endNanos) {
    Instant end = clock.instant().plusNanos(Math.max(0, endNanos - nanoTime.getAsLong()));
    InstanceReport.Use use =
        InstanceReport.Use.acknowledging(0)
            .withProblem(
                "it uses the collection without a report: open it with transition://, stop it, or"
                    + " give it up");
    InstanceReport report =
        InstanceReport.of("client " + client, client)
            .withNewestPhase(Phase.NEW_ONLY)
            .withUse(collection, use);
    return Gate.Instance.of(report, use, end);
  }

  /**
   * Refuses a step while a live instance cannot follow.
   *
   * @param phase the phase to come
   * @param copy the copy that the gate names; null for none
   * @param givenUp the services that need not be ready, by a person's decision
   * @throws InstancesNotReady if there are such instances, naming them
   */
  public void requireReady(Phase phase, @Nullable Copy copy, Set<String> givenUp) {
    requireNone(InstancesNotReady.obstacles(collection, instances(), phase, copy, givenUp));
  }

  /**
   * Refuses a move that keeps a way back while a live instance cannot follow it.
   *
   * @param givenUp the services that need not be ready, by a person's decision
   * @throws InstancesNotReady if there are such instances, naming them
   */
  public void requireWayBack(Set<String> givenUp) {
    requireNone(InstancesNotReady.obstaclesToWayBack(collection, instances(), givenUp));
  }

  private void requireNone(List<Obstacle> obstacles) {
    if (!obstacles.isEmpty()) {
      throw new InstancesNotReady(collection, obstacles);
    }
  }
}
