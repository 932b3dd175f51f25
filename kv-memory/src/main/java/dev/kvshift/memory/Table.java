package dev.kvshift.memory;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.CollectionRecord.State;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * One incarnation of a collection: its rows, change log and gate, guarded by this monitor. Futures
 * that others wait for are completed outside it.
 */
final class Table {
  static final int WAITING_ROOM = 1_000;
  private static final int FENCE_TICK_MILLIS = 5;

  private final MemoryServer server;
  private final String name;
  private final long incarnation;
  private final Rows rows;
  private final ChangeLog log;
  private final LeaderGate gate;
  private final Set<Waiting<?>> room = new LinkedHashSet<>();
  private final ArrayDeque<Runnable> effects = new ArrayDeque<>();
  private boolean dropped;

  /** A write that waits behind the fence. */
  private record Waiting<T>(
      Object owner,
      Supplier<T> write,
      CompletableFuture<T> result,
      long callerEpoch,
      boolean isVersioned) {}

  Table(MemoryServer server, String name, long incarnation) {
    this.server = server;
    this.name = name;
    this.incarnation = incarnation;
    this.log = new ChangeLog(name, effects::add);
    this.rows = new Rows(server, name, log);
    this.gate = new LeaderGate(name, server.clock);
  }

  /** Reads under the monitor, after the gate has let the caller in. */
  <T> T read(Call call, Function<NavigableMap<TokenKey, Row>, T> body) {
    return locked(
        () -> {
          gate.admitRead(call.epoch());
          return body.apply(rows.held());
        });
  }

  /** Reads under the monitor for the runner, which no gate refuses. */
  <T> T scan(Function<NavigableMap<TokenKey, Row>, T> body) {
    return locked(() -> body.apply(rows.held()));
  }

  <T> T withLog(Function<ChangeLog, T> body) {
    return locked(() -> body.apply(log));
  }

  <T> T withGate(Function<LeaderGate, T> body) {
    return locked(() -> body.apply(gate));
  }

  Gate.State gateState() {
    return withGate(record -> record.state(rows.lastVersion()));
  }

  CompletionStage<Long> write(
      Object owner, StoreKey key, Mutation mutation, Call call, VersionClock versions) {
    CollectionRecord record = server.record(name);
    if (mutation.version() == null && record != null) {
      if (record.state() == State.IMPORTING || record.incarnation() != incarnation) {
        throw new KvException.Permanent(
            "collection " + name + " is " + record + ": writes without a version are refused");
      }
      if (record.floor() > 0) {
        return awaitFloor(record.floor(), call)
            .thenCompose(
                waited ->
                    enter(
                        owner,
                        call,
                        true,
                        () -> rows.apply(key, mutation, versions.next(nowMicros()), false, false)));
      }
    }
    boolean leader = record == null || (record.state() == State.ACTIVE && record.floor() == 0);
    return enter(
        owner,
        call,
        mutation.version() != null,
        () ->
            rows.apply(
                key, mutation, mutation.version(), leader, leader && !gate.isClockOrdered()));
  }

  CompletionStage<Row> reassert(Object owner, StoreKey key, long atLeast, Call call) {
    return enter(owner, call, false, () -> rows.reassert(key, atLeast));
  }

  Fence fence(String attempt, FenceOptions options) {
    return locked(
        () -> {
          Fence standing = gate.fenceFor(attempt, options);
          if (standing != null) {
            return standing;
          }
          Instant now = server.now();
          Fence raised = log.appendFence(attempt, rows.draw(now), now.plus(options.lifetime()));
          gate.raise(raised, options);
          effects.add(this::watchFence);
          return raised;
        });
  }

  void lift(String attempt) {
    locked(
        () -> {
          if (gate.lift(attempt)) {
            lifted(attempt);
          }
          return attempt;
        });
  }

  Gate.State move(String attempt) {
    return locked(
        () -> {
          if (gate.move(attempt)) {
            letIn();
          }
          return gate.state(rows.lastVersion());
        });
  }

  /** Moves these tables, each with its attempt; moves none if one of them refuses. */
  static void moveAll(Deque<Map.Entry<Table, String>> attempts) {
    Map.Entry<Table, String> first = attempts.poll();
    if (first != null) {
      Table table = first.getKey();
      table.locked(
          () -> {
            table.gate.requireMovable(first.getValue());
            moveAll(attempts);
            return table.move(first.getValue());
          });
    }
  }

  Gate.State seal(long epoch) {
    return locked(
        () -> {
          gate.seal(epoch, rows.lastVersion());
          return gate.state(rows.lastVersion());
        });
  }

  void applied(long version) {
    locked(
        () -> {
          gate.applied(version, rows.lastVersion());
          return name;
        });
  }

  /** Ends the waiting requests of a store that is being closed. */
  void forget(Object owner) {
    locked(
        () -> {
          log.forget(owner);
          gate.forget(owner);
          for (Waiting<?> waiting : List.copyOf(room)) {
            if (waiting.owner == owner) {
              room.remove(waiting);
              fail(waiting, new KvException.Transient("the store was closed: open it again"));
            }
          }
          return owner;
        });
  }

  void drop() {
    locked(
        () -> {
          dropped = true;
          log.forget(log);
          for (Waiting<?> waiting : room) {
            fail(waiting, wiped());
          }
          room.clear();
          rows.clear();
          return name;
        });
  }

  private <T> CompletionStage<T> enter(
      Object owner, Call call, boolean isVersioned, Supplier<T> write) {
    return locked(
        () -> {
          requireInTime(call);
          gate.admitWrite(call.epoch(), isVersioned);
          Fence fence = gate.fence();
          if (fence == null) {
            return CompletableFuture.completedFuture(write.get());
          }
          Duration remaining = Duration.between(server.now(), fence.deadline());
          if (room.size() == WAITING_ROOM) {
            throw new KvException.CollectionFenced(name, remaining);
          }
          Waiting<T> waiting =
              new Waiting<>(owner, write, new CompletableFuture<>(), call.epoch(), isVersioned);
          room.add(waiting);
          Futures.after(call.remaining()).thenRun(() -> giveUp(waiting, fence));
          return waiting.result;
        });
  }

  private void giveUp(Waiting<?> waiting, Fence fence) {
    synchronized (this) {
      if (room.remove(waiting)) {
        Duration remaining = Duration.between(server.now(), fence.deadline());
        fail(waiting, new KvException.CollectionFenced(name, remaining));
      }
    }
    runEffects();
  }

  private void lifted(String attempt) {
    log.appendLift(attempt);
    letIn();
  }

  private void letIn() {
    List<Waiting<?>> waiting = List.copyOf(room);
    room.clear();
    waiting.forEach(this::letIn);
  }

  private <T> void letIn(Waiting<T> waiting) {
    try {
      gate.admitWrite(waiting.callerEpoch, waiting.isVersioned);
      T result = waiting.write.get();
      effects.add(() -> waiting.result.complete(result));
    } catch (KvException e) {
      fail(waiting, e);
    }
  }

  private void fail(Waiting<?> waiting, KvException error) {
    effects.add(() -> waiting.result.completeExceptionally(error));
  }

  /** Checks every few milliseconds, so that a fence is lifted at its deadline without any call. */
  private void watchFence() {
    if (withGate(record -> record.fence() != null)) {
      Futures.after(Duration.ofMillis(FENCE_TICK_MILLIS)).thenRun(this::watchFence);
    }
  }

  private <T> T locked(Supplier<T> body) {
    try {
      synchronized (this) {
        if (dropped) {
          throw wiped();
        }
        Fence fence = gate.fence();
        if (fence != null && !fence.deadline().isAfter(server.now())) {
          gate.lift(fence.attempt());
          lifted(fence.attempt());
        }
        return body.get();
      }
    } finally {
      runEffects();
    }
  }

  private void runEffects() {
    while (true) {
      Runnable effect;
      synchronized (this) {
        effect = effects.poll();
      }
      if (effect == null) {
        return;
      }
      effect.run();
    }
  }

  private KvException wiped() {
    return new KvException.Permanent(
        "incarnation " + incarnation + " of collection " + name + " was dropped: open it again");
  }

  private void requireInTime(Call call) {
    if (call.isExpired()) {
      throw new KvException.Transient("the deadline passed before the write began: try again");
    }
  }

  /** Waits until the server's clock, by which versions are drawn, has passed the floor. */
  private CompletionStage<Void> awaitFloor(long floor, Call call) {
    return Futures.within(
        call,
        past(floor),
        () ->
            new KvException.Transient(
                "the clock has not passed the collection's floor yet: try again"));
  }

  private CompletionStage<Void> past(long floor) {
    long missing = floor - nowMicros() + 1;
    return missing <= 0
        ? CompletableFuture.completedFuture(null)
        : Futures.after(Duration.of(missing, ChronoUnit.MICROS)).thenCompose(waited -> past(floor));
  }

  private long nowMicros() {
    return VersionClock.micros(server.now());
  }
}
