package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.LockSpaceRecord;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreLocks;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lock space of a transition store. It has one authority at a time: the old store's leader until
 * its gate has moved the space, and the new store from then on, for ever: protocol, 8.
 *
 * <p>The space moves after the rows that it guards. Until then the new store may hold the rows
 * alone while the leader grants the locks: a holder gets the version of each write from {@link
 * #version}, and asks {@link #isHeld} before the write is acknowledged. Both ask the authority, so
 * that they hold for either.
 *
 * <p>Every request to the leader may be refused because the space has moved, and is then sent to
 * the new store; no lease is needed to know that. While the leader has raised the fence for the
 * move, requests for new locks wait here until their deadline. Safe for use by many threads.
 */
final class TransitionLocks implements StoreLocks, Reported {
  private static final Logger LOG = LoggerFactory.getLogger(TransitionLocks.class);

  /** Prefix of the name under which a leader keeps the gate of a lock space. */
  private static final String PREFIX = "locks:";

  /** The pause between two requests for locks while the fence is raised. */
  private static final Duration FENCE_PAUSE = Duration.ofMillis(20);

  /** The time for which opening a space waits to learn from the new store that it has moved. */
  private static final Duration LOOK_AT_NEW_SIDE = Duration.ofSeconds(2);

  private static final long LOOK_EVERY_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final String space;
  private final String name;
  private final Side oldSide;
  private final Side newSide;
  private final StoreClock newClock;
  private final Reporter reporter;
  private final Events events;
  private final HeldLocks held = new HeldLocks(System::currentTimeMillis);
  private @Nullable CompletableFuture<Void> opened;
  private volatile View view = new View(0, false, 0, null);
  private volatile @Nullable StoreLocks onOld;
  private volatile @Nullable StoreLocks onNew;
  private volatile @Nullable Gate gate;
  private volatile @Nullable Copy seen;
  private volatile @Nullable String problem;
  private volatile boolean looking;
  private volatile long lookedNanos = System.nanoTime() - LOOK_EVERY_NANOS;

  /**
   * What this process knows of the space.
   *
   * @param moved whether the new store has the authority
   * @param copy the identity of the move; null if none was announced
   */
  private record View(long epoch, boolean moved, long floor, @Nullable Copy copy) {}

  /** A request to the authority. */
  private interface Request<T extends @Nullable Object> {
    CompletionStage<T> to(StoreLocks authority, Call call);
  }

  TransitionLocks(
      String space,
      Side oldSide,
      Side newSide,
      StoreClock newClock,
      Reporter reporter,
      Events events) {
    this.space = space;
    this.name = PREFIX + space;
    this.oldSide = oldSide;
    this.newSide = newSide;
    this.newClock = newClock;
    this.reporter = reporter;
    this.events = events;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public CompletionStage<LockResult> tryLockAll(Set<Bytes> keys, Duration lease, Call call) {
    return Futures.start(
        () -> {
          OperationChecker.checkLease(lease);
          return ask(call, Futures::writeFailure, (locks, in) -> locks.tryLockAll(keys, lease, in))
              .thenApply(
                  result -> {
                    result.acquired().forEach(held::add);
                    return result;
                  });
        });
  }

  @Override
  public CompletionStage<Lock> renew(Lock lock, Duration lease, Call call) {
    return ask(call, Futures::writeFailure, (locks, in) -> locks.renew(lock, lease, in))
        .thenApply(
            renewed -> {
              held.add(renewed);
              return renewed;
            });
  }

  @Override
  public CompletionStage<Void> release(Lock lock, Call call) {
    held.remove(lock);
    return ask(call, Futures::writeFailure, (locks, in) -> locks.release(lock, in));
  }

  @Override
  public CompletionStage<Long> version(Lock lock, long above, Call call) {
    return ask(call, Futures::readFailure, (locks, in) -> locks.version(lock, above, in));
  }

  @Override
  public CompletionStage<Boolean> isHeld(Lock lock, Call call) {
    return ask(call, Futures::readFailure, (locks, in) -> locks.isHeld(lock, in));
  }

  private <T extends @Nullable Object> CompletionStage<T> ask(
      Call call, Function<Throwable, KvException> failure, Request<T> request) {
    return Futures.within(call, ready(), this::notReady)
        .thenCompose(ready -> askAuthority(call, failure, request));
  }

  private KvException notReady() {
    return new KvException.Transient(
        "lock space "
            + space
            + " could not be opened by the deadline, and nothing was sent: try again");
  }

  private <T extends @Nullable Object> CompletionStage<T> askAuthority(
      Call call, Function<Throwable, KvException> failure, Request<T> request) {
    View asked = view;
    return Futures.start(() -> send(asked, call, request))
        .handle(
            (value, error) -> {
              if (error == null) {
                return CompletableFuture.completedFuture(value);
              }
              KvException cause = failure.apply(error);
              if (cause instanceof StalePhase stale) {
                learn(stale.epoch(), stale.phase(), stale.floor(), stale.copy());
                return call.isExpired() || view.equals(asked)
                    ? CompletableFuture.<T>failedFuture(
                        new KvException.Transient(
                            "lock space " + space + " changed its phase meanwhile: try again",
                            stale))
                    : askAuthority(call, failure, request);
              }
              boolean waits =
                  cause instanceof KvException.CollectionFenced
                      && call.remaining().compareTo(FENCE_PAUSE) > 0;
              return waits
                  ? Futures.after(FENCE_PAUSE)
                      .thenCompose(waited -> askAuthority(call, failure, request))
                  : CompletableFuture.<T>failedFuture(cause);
            })
        .thenCompose(stage -> stage);
  }

  private <T extends @Nullable Object> CompletionStage<T> send(
      View asked, Call call, Request<T> request) {
    StoreLocks old = onOld;
    if (asked.moved || old == null) {
      return events.reporting(
          Events.NEW,
          name,
          Futures.within(call, newAuthority(asked), this::notReady)
              .thenCompose(locks -> request.to(locks, call)));
    }
    return events.reporting(Events.OLD, name, request.to(old, call.withEpoch(asked.epoch)));
  }

  /** Returns the new store's space, once its record was seen to be that of this move. */
  private CompletionStage<StoreLocks> newAuthority(View asked) {
    StoreLocks known = onNew;
    if (known != null) {
      return CompletableFuture.completedFuture(known);
    }
    return newSide
        .store()
        .thenCompose(
            store ->
                LockSpaceRecord.read(store.metadata(), space)
                    .thenApply(
                        record -> {
                          LockSpaceRecord.requireMove(space, record, asked.copy, asked.floor);
                          StoreLocks above = store.locks(space).above(asked.floor);
                          onNew = above;
                          return above;
                        }));
  }

  /** Opens the space at its first use, and again if that has failed. */
  private synchronized CompletionStage<Void> ready() {
    if (opened == null || opened.isCompletedExceptionally()) {
      opened = Futures.start(this::open).toCompletableFuture();
    }
    return opened;
  }

  private CompletionStage<Void> open() {
    return Futures.start(() -> oldSide.store().thenCompose(this::register))
        .handle(
            (state, error) -> {
              CompletionStage<@Nullable LockSpaceRecord> known = recordIfReachable();
              return known.thenAccept(record -> begin(state, record, error));
            })
        .thenCompose(stage -> stage)
        .thenRun(() -> reporter.add(this));
  }

  /** Registers before the phase is read, so that a move asks whether this process can follow. */
  private CompletionStage<Gate.State> register(Store old) {
    StoreLocks locks = old.locks(space);
    return locks
        .gate()
        .thenCompose(
            opened -> {
              gate = opened;
              onOld = locks;
              if (ClockOrder.isNeededBy(old.capabilities())) {
                throw new KvException.UnsupportedCapability(
                    Capability.LOCKS, "a transition:// whose old side has no leader");
              }
              return reporter.register(Keeper.LEADER, name, InstanceReport.Use.acknowledging(0));
            });
  }

  private CompletionStage<@Nullable LockSpaceRecord> recordIfReachable() {
    return Futures.start(
            () ->
                newSide.store().thenCompose(store -> LockSpaceRecord.read(store.metadata(), space)))
        .toCompletableFuture()
        .<@Nullable LockSpaceRecord>thenApply(record -> record)
        .completeOnTimeout(null, LOOK_AT_NEW_SIDE.toMillis(), TimeUnit.MILLISECONDS)
        .exceptionally(unreachable -> null);
  }

  /**
   * Decides who has the authority. A new store that says that this move has handed over to it is
   * believed, whatever the leader says: the leader may have returned from an older state. One that
   * names another move than the leader is not: one of both is the wrong store, and locks that both
   * granted would be worse than none.
   */
  private void begin(
      Gate.@Nullable State state, @Nullable LockSpaceRecord record, @Nullable Throwable error) {
    boolean handedOver = record != null && record.isHandedOver();
    if (state == null) {
      if (!handedOver) {
        throw Futures.readFailure(
            error == null ? new IllegalStateException("no state and no error") : error);
      }
      learn(Long.MAX_VALUE, Phase.NEW_ONLY, record.floor(), record.copy());
    } else if (handedOver && state.phase() != Phase.NEW_ONLY) {
      if (!record.copy().equals(state.copy())) {
        throw new KvException.Permanent(
            "the new store has taken over lock space "
                + space
                + " as copy "
                + record.copy()
                + ", and the old one still grants its locks: no lock was granted; check both"
                + " connection strings, and whether the old store was restored from an older state");
      }
      learn(Long.MAX_VALUE, Phase.NEW_ONLY, record.floor(), record.copy());
    } else {
      learn(state.epoch(), state.phase(), state.floor(), state.copy());
    }
    events.phase(name, view.moved ? Phase.NEW_ONLY : Phase.LEGACY);
  }

  private synchronized void learn(long epoch, Phase phase, long floor, @Nullable Copy copy) {
    View known = view;
    boolean moved = phase == Phase.NEW_ONLY;
    if (known.moved || epoch < known.epoch) {
      return;
    }
    View next = new View(epoch, moved, floor, copy);
    if (next.equals(known)) {
      return;
    }
    view = next;
    if (moved) {
      LOG.info("the new store has the locks of space {} (epoch {})", space, epoch);
      events.phase(name, phase);
    }
  }

  @Override
  public void listen(Runnable onNewEpoch, Runnable onLeaseLost) {
    Gate known = gate;
    if (known != null) {
      known.listen(
          epoch -> {
            if (epoch > view.epoch) {
              onNewEpoch.run();
            }
          });
    }
  }

  @Override
  public InstanceReport.@Nullable Use report() {
    View known = view;
    if (known.moved || gate == null) {
      return null;
    }
    ClockSkew skew = newClock.skew();
    KvException failure = newClock.failure();
    String reason =
        problem != null || failure == null
            ? problem
            : "its new side does not return its time: " + failure.getMessage();
    return InstanceReport.Use.acknowledging(known.epoch)
        .withCopy(seen)
        .withProblem(reason)
        .withSkew(skew == null ? null : skew.atLeast().abs())
        .withUncertainty(newClock.uncertainty())
        .withHeldLocks(held.count());
  }

  @Override
  public boolean reported(Keeper keeper, Gate.State state, Lease.Moment sent) {
    learn(state.epoch(), state.phase(), state.floor(), state.copy());
    return false;
  }

  /** Does nothing: the leader refuses requests of a moved space, so none depends on a lease. */
  @Override
  public void notReported() {}

  /**
   * Looks whether the new store has the record of the move, once the leader names one: every second
   * until it has, and every 30 s from then on.
   */
  @Override
  public void prepareNewSide(Runnable onOpened) {
    Copy named = view.copy;
    boolean isKnown = named != null && named.equals(seen);
    if (named == null
        || view.moved
        || looking
        || (isKnown && System.nanoTime() - lookedNanos < LOOK_EVERY_NANOS)) {
      return;
    }
    looking = true;
    if (!newClock.isRight()) {
      newClock.measure();
    }
    Futures.start(
            () ->
                newSide
                    .store()
                    .thenCompose(
                        store -> LockSpaceRecord.read(store.metadata().committed(), space)))
        .whenComplete(
            (record, error) -> {
              lookedNanos = System.nanoTime();
              looking = false;
              problem = error == null ? null : Futures.readFailure(error).getMessage();
              seen = record == null ? null : record.copy();
              if (record != null && record.isHandedOver() && named.equals(record.copy())) {
                learn(Long.MAX_VALUE, Phase.NEW_ONLY, record.floor(), named);
              }
              if (!isKnown && named.equals(seen)) {
                onOpened.run();
              }
            });
  }
}
