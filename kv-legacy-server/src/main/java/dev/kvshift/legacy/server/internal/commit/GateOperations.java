package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.LeaderClock;
import dev.kvshift.legacy.server.internal.storage.MetaKeys;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.GateRecord;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
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
    if (next.keepsWayBack()) {
      requireRows(table);
    }
    return submit(
        table,
        commit -> {
          GateRecord stepped =
              table.gate().stepped(table.name(), expected, next, table.instances());
          if (stepped == null) {
            return false;
          }
          commit.setGate(table, stepped);
          return true;
        });
  }

  public CompletableFuture<Fence> fence(Table table, String attempt, FenceOptions options) {
    return submit(
        table,
        commit -> {
          Fence standing = table.gate().fenceFor(table.name(), attempt, options, table.instances());
          if (standing != null) {
            return standing;
          }
          table.setGivenUp(options.givenUp());
          long now = commit.versions().now() / 1_000;
          return commit.fence(
              table, attempt, Instant.ofEpochMilli(now + options.lifetime().toMillis()));
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
          GateRecord moved = moved(table, attempt);
          if (!moved.equals(table.gate())) {
            objection.run();
            commit.setGate(
                table,
                table.isLockSpace() ? moved.withFloorAbove(commit.versions().last()) : moved);
          }
          return current(table);
        });
  }

  static GateRecord moved(Table table, String attempt) {
    return table.gate().moved(table.name(), attempt, table.instances(), table.givenUp());
  }

  /** Hands several collections over in one commit, each as {@link #move} does, or none of them. */
  public CompletableFuture<Map<String, Gate.State>> moveAll(Map<Table, String> attempts) {
    attempts.keySet().forEach(GateOperations::requireRows);
    return pipeline.submit(
        Operation.of(
            commit -> {
              Map<Table, GateRecord> moved = new LinkedHashMap<>();
              attempts.forEach(
                  (table, attempt) -> {
                    table.requireCurrent();
                    moved.put(table, moved(table, attempt));
                  });
              Map<String, Gate.State> states = new TreeMap<>();
              for (Map.Entry<Table, GateRecord> each : moved.entrySet()) {
                if (!each.getValue().equals(each.getKey().gate())) {
                  commit.setGate(each.getKey(), each.getValue());
                }
                states.put(each.getKey().name(), current(each.getKey()));
              }
              return states;
            }));
  }

  /** Publishes the version up to which the new store holds everything. */
  public CompletableFuture<@Nullable Void> applied(Table table, long version) {
    requireRows(table);
    return submit(
        table,
        commit -> {
          GateRecord applied =
              table.gate().applied(table.name(), version, commit.versions().last());
          if (!applied.equals(table.gate())) {
            commit.setGate(table, applied);
          }
          return null;
        });
  }

  /**
   * Seals a collection. Holds versions back before, so that the target's time has certainly passed
   * the floor when services learn of it, and their first writes need not wait.
   */
  public CompletableFuture<Gate.State> seal(Table table, long epoch) {
    requireRows(table);
    return submit(
            table,
            commit -> {
              boolean isSealed = sealed(table, epoch, commit).equals(table.gate());
              if (!isSealed) {
                commit.versions().holdBack();
              }
              return isSealed ? Duration.ZERO : Versions.HELD_BACK;
            })
        .thenCompose(Futures::after)
        .thenCompose(
            passed ->
                submit(
                    table,
                    commit -> {
                      GateRecord sealed = sealed(table, epoch, commit);
                      if (!sealed.equals(table.gate())) {
                        commit.setGate(table, sealed);
                      }
                      return current(table);
                    }));
  }

  private static GateRecord sealed(Table table, long epoch, Commit commit) {
    return table.gate().sealed(table.name(), epoch, commit.versions().last(), table.instances());
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
          table.name() + " is a lock space: move it with a fence and a move, for good");
    }
  }

  /**
   * Writes the current state of a row again at a version above a given one, and logs it as a
   * change.
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
    if (!table.gate().isLed()) {
      throw table.gate().stale(table.name());
    }
    table.requireLed();
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
   * Records an instance's report on a collection. A new instance is registered durably, so that a
   * restart does not forget an instance that may still act; renewing a lease touches memory only.
   * The lease is taken before the record is read, so a later listing of the instances includes this
   * one.
   */
  public CompletableFuture<Gate.State> report(Table table, InstanceReport report) {
    table.requireExists();
    if (!table.instances().isNew(report.instance())) {
      table.instances().report(report, table.publishedGate().state().epoch());
      return CompletableFuture.completedFuture(state(table));
    }
    return submit(
        table,
        commit -> {
          for (String gone : table.instances().forgetGone()) {
            commit.deleteMeta(leaseKey(table, gone));
          }
          table.instances().report(report, table.publishedGate().state().epoch());
          long acknowledged =
              Objects.requireNonNull(report.uses().get(table.name())).acknowledged();
          commit.putMeta(leaseKey(table, report.instance()), Database.number(acknowledged));
          return current(table);
        });
  }

  private static byte[] leaseKey(Table table, String instance) {
    return MetaKeys.of(MetaKeys.LEASE, table.id(), Database.utf8(instance));
  }

  /** Records a request of a client that has not reported the collection. */
  public void noteClient(Table table, String client) {
    table.instances().noteClient(client);
  }

  /** Returns the instances that may still act on a lease. */
  public List<Gate.Instance> instances(Table table) {
    table.requireExists();
    return table.instances().instances();
  }
}
