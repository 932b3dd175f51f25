package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.LeaderClock;
import dev.kvshift.legacy.server.internal.storage.MetaKeys;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.GateRecord;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Operations on gates. Each change is one operation of the commit pipeline: decided on the current
 * record and durable before it is answered. {@link GateRecord} decides, this class persists. Safe
 * for use by many threads.
 */
public final class GateOperations {
  private final CommitPipeline pipeline;
  private final Versions versions;
  private final LeaderClock clock;

  public GateOperations(CommitPipeline pipeline, Versions versions, LeaderClock clock) {
    this.pipeline = pipeline;
    this.versions = versions;
    this.clock = clock;
  }

  private <T extends @Nullable Object> CompletableFuture<T> submit(
      Table table, Operation.Step<T> step) {
    return pipeline.submit(Operation.on(table, step));
  }

  long nowMillis() {
    return clock.millis();
  }

  public Gate.State state(Table table) {
    table.requireExists();
    return published(table.publishedGate());
  }

  public CompletableFuture<Boolean> compareAndSet(
      Table table, Gate.State expected, Gate.State next) {
    return submit(
        table,
        commit -> {
          GateRecord stepped = table.gate().stepped(table.name(), expected, next);
          if (stepped == null) {
            return false;
          }
          commit.setGate(table, stepped);
          return true;
        });
  }

  public CompletableFuture<Fence> fence(Table table, String attempt, Duration lifetime) {
    return submit(
        table,
        commit -> {
          Fence standing = table.gate().fenceFor(table.name(), attempt, lifetime);
          return standing != null
              ? standing
              : commit.fence(
                  table,
                  attempt,
                  Instant.ofEpochMilli(commit.versions().now() / 1_000 + lifetime.toMillis()));
        });
  }

  public CompletableFuture<@Nullable Void> lift(Table table, String attempt) {
    return submit(
        table,
        commit -> {
          if (table.gate().hasFenceOf(attempt)) {
            commit.lift(table, attempt);
          } else {
            commit.setGate(table, table.gate().lifted(table.name(), attempt));
          }
          return null;
        });
  }

  public CompletableFuture<Gate.State> move(Table table, String attempt) {
    return move(table, attempt, () -> {});
  }

  /**
   * Moves a collection unless an objection is raised in the commit pipeline.
   *
   * @param objection throws the reason not to move
   */
  public CompletableFuture<Gate.State> move(Table table, String attempt, Runnable objection) {
    return submit(
        table,
        commit -> {
          GateRecord moved = table.gate().moved(table.name(), attempt);
          if (!moved.equals(table.gate())) {
            objection.run();
            commit.setGate(table, moved);
          }
          return current(table);
        });
  }

  public CompletableFuture<Gate.State> seal(Table table, long epoch) {
    requireRows(table);
    return submit(
        table,
        commit -> {
          GateRecord sealed = table.gate().sealed(table.name(), epoch, commit.versions().last());
          if (!sealed.equals(table.gate())) {
            commit.setGate(table, sealed);
          }
          return current(table);
        });
  }

  private Gate.State current(Table table) {
    return published(table.gate());
  }

  private Gate.State published(GateRecord gate) {
    return gate.state().withVersionCeiling(versions.publishedCeiling());
  }

  private static void requireRows(Table table) {
    if (table.isLockSpace()) {
      throw new KvException.Permanent(
          table.name() + " is a lock space: move it with a fence and a move");
    }
  }

  /**
   * Gives the current state of a row a new version above a given one, and logs it as a change.
   *
   * @param atLeast the version to exceed
   */
  public CompletableFuture<Row> reassert(Table table, StoreKey key, long atLeast, Call call) {
    requireRows(table);
    int bytes = key.main().size() + key.clustering().size();
    return pipeline.submit(
        Operation.write(table, bytes, call, commit -> reassert(commit, table, key, atLeast)));
  }

  private static Row reassert(Commit commit, Table table, StoreKey key, long atLeast)
      throws RocksDBException {
    if (table.gate().isHandedOver()) {
      throw table.gate().stale(table.name());
    }
    commit.versions().keep(atLeast);
    Row current = commit.current(table, key);
    Row now = current == null ? null : current.at(micros(commit.versions().now()));
    long version = commit.versions().draw();
    Row reasserted =
        now == null ? Row.tombstone(key, version) : Row.of(key, version, now.value(), now.expiry());
    commit.put(table, key, version, reasserted.value(), reasserted.expiry());
    return reasserted;
  }

  private static Instant micros(long micros) {
    return Instant.EPOCH.plusNanos(TimeUnit.MICROSECONDS.toNanos(micros));
  }

  /**
   * Registers an instance or renews its lease. The first registration is durable, so that a restart
   * does not forget who may still act; a renewal changes memory only. The lease begins before the
   * record is read, so that whoever lists the instances after a change of the gate sees those that
   * have not learned of it.
   */
  public CompletableFuture<Gate.State> register(Table table, String instance, long acknowledged) {
    table.requireExists();
    GateRecord.requireName("instance", instance);
    long epoch = table.publishedGate().state().epoch();
    if (acknowledged > epoch) {
      throw new KvException.Permanent(
          "instance "
              + instance
              + " acknowledges epoch "
              + acknowledged
              + ", but the gate is at epoch "
              + epoch);
    }
    Lease lease = Lease.from(acknowledged, clock.nanos());
    if (table.leases().replace(instance, lease) != null) {
      return CompletableFuture.completedFuture(state(table));
    }
    return submit(
        table,
        commit -> {
          forgetEnded(table, commit);
          if (table.leases().size() >= GateRecord.MAX_INSTANCES) {
            throw new KvException.Transient(
                "collection "
                    + table.name()
                    + " has "
                    + GateRecord.MAX_INSTANCES
                    + " instances, the limit: try again once some have left");
          }
          commit.putMeta(leaseKey(table, instance), Database.number(acknowledged));
          table.leases().put(instance, lease);
          return current(table);
        });
  }

  private static byte[] leaseKey(Table table, String instance) {
    return MetaKeys.of(MetaKeys.LEASE, table.id(), Database.utf8(instance));
  }

  private void forgetEnded(Table table, Commit commit) {
    long now = clock.nanos();
    for (Map.Entry<String, Lease> lease : Map.copyOf(table.leases()).entrySet()) {
      if (lease.getValue().isOver(now) && table.leases().remove(lease.getKey(), lease.getValue())) {
        commit.deleteMeta(leaseKey(table, lease.getKey()));
      }
    }
  }

  /** Returns the instances that may still act on a lease. */
  public List<Gate.Instance> instances(Table table) {
    table.requireExists();
    long now = clock.nanos();
    Instant time = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    List<Gate.Instance> instances = new ArrayList<>();
    table
        .leases()
        .forEach(
            (name, lease) -> {
              if (!lease.isOver(now)) {
                Instant ends = time.plusMillis(lease.left(now).toMillis());
                instances.add(new Gate.Instance(name, lease.acknowledged(), ends));
              }
            });
    return instances;
  }
}
