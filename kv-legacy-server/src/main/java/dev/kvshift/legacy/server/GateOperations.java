package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * The gate of every collection: each change is one operation in the commit pipeline, decided on the
 * record as it then is, and durable before it is answered. Safe for use by many threads.
 */
final class GateOperations {
  static final Duration MIN_LIFETIME = Duration.ofSeconds(1);
  static final Duration MAX_LIFETIME = Duration.ofSeconds(60);
  static final int MAX_NAME_LENGTH = 256;
  static final int MAX_INSTANCES = 10_000;

  private final CommitPipeline pipeline;
  private final Versions versions;
  private final Clock clock;

  GateOperations(CommitPipeline pipeline, Versions versions, Clock clock) {
    this.pipeline = pipeline;
    this.versions = versions;
    this.clock = clock;
  }

  /** A change of a gate, or what it refuses. */
  private interface Change<T> {
    T apply(Commit commit) throws RocksDBException;
  }

  private <T extends @Nullable Object> CompletableFuture<T> submit(Table table, Change<T> change) {
    return pipeline.submit(
        new Op<T>(table, 0, Op.unhurried()) {
          @Override
          T apply(Commit commit) throws RocksDBException {
            return change.apply(commit);
          }
        });
  }

  long nowMillis() {
    return clock.millis();
  }

  Gate.State state(Table table) {
    table.requireThere();
    return table.publishedGate().state(versions.publishedCeiling());
  }

  CompletableFuture<Boolean> compareAndSet(Table table, Gate.State expected, Gate.State next) {
    return submit(
        table,
        commit -> {
          GateRecord gate = table.gate;
          if (gate.epoch() != expected.epoch() || gate.acceptMin() != expected.acceptMin()) {
            return false;
          }
          if (gate.phase() == Phase.NEW_ONLY) {
            throw gate.stale(table.name);
          }
          if (gate.fence() != null) {
            throw new KvException.Transient(
                "collection "
                    + table.name
                    + " is fenced by attempt "
                    + gate.fence().attempt()
                    + "; its gate was not changed: lift the fence first");
          }
          checkStep(table, gate, next);
          commit.setGate(table, gate.stepped(next));
          return true;
        });
  }

  private static void checkStep(Table table, GateRecord gate, Gate.State next) {
    boolean neighbour = next.phase().isStepFrom(gate.phase());
    boolean raised =
        next.phase() == gate.phase() ? next.epoch() >= gate.epoch() : next.epoch() > gate.epoch();
    if (!neighbour
        || next.phase() == Phase.NEW_ONLY
        || !raised
        || next.acceptMin() < gate.acceptMin()
        || next.acceptMin() > next.epoch()
        || next.incarnation() < gate.incarnation()) {
      throw new KvException.Permanent(
          "collection "
              + table.name
              + ": its gate does not go from "
              + step(gate.phase(), gate.epoch(), gate.acceptMin())
              + " to "
              + step(next.phase(), next.epoch(), next.acceptMin())
              + ": go to a neighbouring phase with a higher epoch; new-only takes a fence or a"
              + " seal");
    }
  }

  private static String step(Phase phase, long epoch, long acceptMin) {
    return phase + " (epoch " + epoch + ", accepts from " + acceptMin + ")";
  }

  CompletableFuture<Fence> fence(Table table, String attempt, Duration lifetime) {
    if (attempt.isEmpty() || attempt.length() > MAX_NAME_LENGTH) {
      return CompletableFuture.failedFuture(
          new KvException.Permanent("an attempt's name has 1 to " + MAX_NAME_LENGTH + " letters"));
    }
    if (lifetime.compareTo(MIN_LIFETIME) < 0 || lifetime.compareTo(MAX_LIFETIME) > 0) {
      return CompletableFuture.failedFuture(
          new KvException.Permanent(
              "a fence for " + lifetime + ": give " + MIN_LIFETIME + " to " + MAX_LIFETIME));
    }
    return submit(
        table,
        commit -> {
          GateRecord gate = table.gate;
          if (gate.phase() == Phase.NEW_ONLY) {
            throw gate.stale(table.name);
          }
          Fence standing = gate.fence();
          if (standing != null && !standing.attempt().equals(attempt)) {
            throw new KvException.Transient(
                "collection "
                    + table.name
                    + " is fenced by attempt "
                    + standing.attempt()
                    + " already: wait until that fence is lifted, at "
                    + standing.deadline()
                    + " at the latest");
          }
          if (gate.ended().contains(attempt)) {
            throw new KvException.Permanent(
                "the fence of attempt " + attempt + " was lifted: begin another attempt");
          }
          return standing != null
              ? standing
              : commit.fence(
                  table,
                  attempt,
                  Instant.ofEpochMilli(commit.versions.now() / 1_000 + lifetime.toMillis()));
        });
  }

  CompletableFuture<@Nullable Void> lift(Table table, String attempt) {
    return submit(
        table,
        commit -> {
          GateRecord gate = table.gate;
          if (gate.phase() == Phase.NEW_ONLY) {
            throw gate.stale(table.name);
          }
          Fence standing = gate.fence();
          if (standing != null && standing.attempt().equals(attempt)) {
            commit.lift(table, standing);
          } else if (!gate.ended().contains(attempt)) {
            commit.setGate(table, gate.lifted(attempt));
          }
          return null;
        });
  }

  CompletableFuture<Gate.State> move(Table table, String attempt) {
    return move(table, attempt, () -> {});
  }

  /**
   * Hands over where nothing speaks against it in the commit pipeline.
   *
   * @param objection throws what does
   */
  CompletableFuture<Gate.State> move(Table table, String attempt, Runnable objection) {
    return submit(
        table,
        commit -> {
          GateRecord gate = table.gate;
          if (attempt.equals(gate.movedBy())) {
            return gate.state(versions.publishedCeiling());
          }
          if (gate.phase() == Phase.NEW_ONLY) {
            throw gate.stale(table.name);
          }
          Fence standing = gate.fence();
          if (standing == null || !standing.attempt().equals(attempt)) {
            throw new KvException.Permanent(
                "collection "
                    + table.name
                    + ": the fence of attempt "
                    + attempt
                    + " does not stand (any more); nothing was moved: fence again");
          }
          objection.run();
          commit.setGate(table, gate.handedOver(standing.version(), attempt));
          return table.gate.state(versions.publishedCeiling());
        });
  }

  CompletableFuture<Gate.State> seal(Table table, long epoch) {
    requireRows(table);
    return submit(
        table,
        commit -> {
          GateRecord gate = table.gate;
          if (gate.sealed() && gate.epoch() == epoch + 1) {
            return gate.state(versions.publishedCeiling());
          }
          if (gate.phase() == Phase.NEW_ONLY) {
            throw gate.stale(table.name);
          }
          if (gate.epoch() != epoch) {
            throw new KvException.Permanent(
                "collection "
                    + table.name
                    + " is in epoch "
                    + gate.epoch()
                    + ", not "
                    + epoch
                    + "; nothing was sealed: read its state again");
          }
          if (gate.fence() != null) {
            throw new KvException.Transient(
                "collection "
                    + table.name
                    + " is fenced; nothing was sealed: lift the fence first");
          }
          commit.setGate(table, gate.handedOver(commit.versions.last(), null));
          return table.gate.state(versions.publishedCeiling());
        });
  }

  private static void requireRows(Table table) {
    if (table.isLockSpace()) {
      throw new KvException.Permanent(
          table.name + " is a lock space: it is handed over with a fence and a move");
    }
  }

  CompletableFuture<Row> reassert(Table table, StoreKey key, long atLeast, long deadlineNanos) {
    requireRows(table);
    int bytes = key.main().size() + key.clustering().size();
    return pipeline.submit(
        new Op<Row>(table, bytes, deadlineNanos) {
          @Override
          boolean waitsAtFence() {
            return true;
          }

          @Override
          Row apply(Commit commit) throws RocksDBException {
            return reassert(commit, table, key, atLeast);
          }
        });
  }

  private static Row reassert(Commit commit, Table table, StoreKey key, long atLeast)
      throws RocksDBException {
    if (table.gate.phase() == Phase.NEW_ONLY) {
      throw table.gate.stale(table.name);
    }
    commit.versions.keep(atLeast);
    Row current = commit.current(table, key);
    Row now = current == null ? null : current.at(micros(commit.versions.now()));
    long version = commit.versions.draw();
    Row reasserted =
        now == null ? Row.tombstone(key, version) : Row.of(key, version, now.value(), now.expiry());
    commit.put(table, key, version, reasserted.value(), reasserted.expiry());
    return reasserted;
  }

  private static Instant micros(long micros) {
    return Instant.EPOCH.plusNanos(TimeUnit.MICROSECONDS.toNanos(micros));
  }

  /**
   * Registers an instance, durably the first time, so that a restart does not forget who may still
   * act; renewing a lease touches memory only. The lease is taken before the record is read: who
   * then lists the instances sees this one.
   */
  CompletableFuture<Gate.State> register(Table table, String instance, long acknowledged) {
    table.requireThere();
    if (instance.isEmpty() || instance.length() > MAX_NAME_LENGTH) {
      throw new KvException.Permanent(
          "an instance's name has 1 to " + MAX_NAME_LENGTH + " letters");
    }
    long epoch = table.publishedGate().epoch();
    if (acknowledged > epoch) {
      throw new KvException.Permanent(
          "instance " + instance + " acknowledges epoch " + acknowledged + ", it is " + epoch);
    }
    Table.Lease lease = Table.Lease.from(acknowledged, clock.millis());
    if (table.leases.replace(instance, lease) != null) {
      return CompletableFuture.completedFuture(state(table));
    }
    return submit(
        table,
        commit -> {
          forgetEnded(table, commit);
          if (table.leases.size() >= MAX_INSTANCES) {
            throw new KvException.Transient(
                "collection " + table.name + " has " + MAX_INSTANCES + " instances: no room");
          }
          commit.putMeta(leaseKey(table, instance), Database.number(acknowledged));
          table.leases.put(instance, lease);
          return table.gate.state(versions.publishedCeiling());
        });
  }

  private static byte[] leaseKey(Table table, String instance) {
    return Catalog.key(Catalog.LEASE, table.id, Database.utf8(instance));
  }

  private void forgetEnded(Table table, Commit commit) {
    long now = clock.millis();
    for (Map.Entry<String, Table.Lease> lease : Map.copyOf(table.leases).entrySet()) {
      if (lease.getValue().isOver(now) && table.leases.remove(lease.getKey(), lease.getValue())) {
        commit.deleteMeta(leaseKey(table, lease.getKey()));
      }
    }
  }

  List<Gate.Instance> instances(Table table) {
    table.requireThere();
    long now = clock.millis();
    List<Gate.Instance> instances = new ArrayList<>();
    table.leases.forEach(
        (name, lease) -> {
          if (!lease.isOver(now)) {
            instances.add(
                new Gate.Instance(
                    name, lease.acknowledged(), Instant.ofEpochMilli(lease.endsMillis())));
          }
        });
    return instances;
  }
}
