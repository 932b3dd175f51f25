package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One collection on its way. An operation takes the phase once, at its start; the old store refuses
 * what comes too late with {@code StalePhase}, which says what to do instead.
 */
final class TransitionCollection implements StoreCollection {
  /** How long a write that may be repeated waits before it is, at first; doubled each time. */
  private static final Duration FIRST_BACKOFF = Duration.ofMillis(5);

  private static final Duration LAST_BACKOFF = Duration.ofMillis(500);

  /**
   * What a service opens.
   *
   * @param claim {@code ACTIVE} or {@code READ}
   * @param prefersNew whether reads go to the new side before the switch
   */
  record Use(String name, Layout layout, Claim claim, boolean prefersNew) {}

  private final Use use;
  private final String name;
  private final Layout layout;
  private final OperationChecker untilOpened;
  private final @Nullable StoreCollection old;
  private final NewSideOpener newOpener;
  private final PhaseTracker tracker;
  private final VersionClock clock;
  private final StoreClock newClock;
  private final Events events;
  private final AtomicLong failures = new AtomicLong();
  private NewSide newSide = new NewSide();
  private volatile @Nullable Copy copy;

  /** Opens the new store's collection, provided that it holds a copy. */
  interface NewSideOpener {
    /**
     * Opens it.
     *
     * @param copy the copy that the gate names; null if it names none, which is refused
     * @param floor the floor of the hand-over; 0 before it
     */
    CompletionStage<NewSide.Opened> open(@Nullable Copy copy, long floor);
  }

  TransitionCollection(
      Use use,
      Limits untilOpened,
      @Nullable StoreCollection old,
      NewSideOpener newOpener,
      @Nullable Copy copy,
      PhaseTracker tracker,
      VersionClock clock,
      StoreClock newClock,
      Events events) {
    this.use = use;
    this.name = use.name;
    this.layout = use.layout;
    this.untilOpened = OperationChecker.of(name, layout, untilOpened).claimed(use.claim);
    this.old = old;
    this.newOpener = newOpener;
    this.copy = copy;
    this.tracker = tracker;
    this.clock = clock;
    this.newClock = newClock;
    this.events = events;
  }

  /** Returns how the service has opened the collection. */
  Use use() {
    return use;
  }

  /** Returns the phase that this instance knows. */
  Phase phase() {
    return tracker.current().phase();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Layout layout() {
    return layout;
  }

  @Override
  public void check(StoreKey key, Mutation mutation) {
    if (old != null && tracker.current().phase() == Phase.LEGACY) {
      old.check(key, mutation);
    } else {
      checkNew(key, mutation);
    }
  }

  /** Checks what holds for every new store, and once it is open what holds for this one. */
  private synchronized void checkNew(StoreKey key, Mutation mutation) {
    if (newSide.opened != null) {
      newSide.opened.check(key, mutation);
    } else {
      untilOpened.check(key, mutation);
    }
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    return this.<@Nullable Row>read(call, (store, c) -> store.get(key, c))
        .thenApply(row -> row == null || row.isTombstone() ? null : row);
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return read(call, (store, c) -> store.range(main, shard, range, limit, c))
        .thenApply(TransitionCollection::withoutTombstones);
  }

  /**
   * Reads from the side that answers in the present phase. A service that prefers the new side
   * reads there first, and from the old side if that fails: it has half of the time.
   */
  private <T extends @Nullable Object> CompletionStage<T> read(
      Call call, BiFunction<StoreCollection, Call, CompletionStage<T>> read) {
    StoreCollection preferred = preferred();
    if (preferred == null) {
      return readInPhase(call, read);
    }
    Call half = Call.within(call.remaining().dividedBy(2));
    return reporting(Events.NEW, Futures.start(() -> read.apply(preferred, half)))
        .exceptionallyCompose(
            error ->
                Futures.unwrap(error) instanceof KvException.InvalidArgument refused
                    ? CompletableFuture.failedFuture(refused)
                    : readInPhase(call, read));
  }

  private <T extends @Nullable Object> CompletionStage<T> readInPhase(
      Call call, BiFunction<StoreCollection, Call, CompletionStage<T>> read) {
    return inPhase(
        call,
        read,
        (view, c) ->
            beforeSending(fresh(), c)
                .thenCompose(store -> reporting(Events.NEW, read.apply(store, c))),
        Futures::readFailure);
  }

  private synchronized @Nullable StoreCollection preferred() {
    return use.prefersNew && tracker.current().phase() != Phase.NEW_ONLY
        ? newSide.readable()
        : null;
  }

  /** Only one of the stores may show tombstones, so that nobody above is to count on them. */
  private static RowPage withoutTombstones(RowPage page) {
    return RowPage.of(
        page.rows().stream().filter(row -> !row.isTombstone()).toList(),
        page.stop(),
        page.passed());
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return Futures.start(
        () -> {
          untilOpened.requireWritable();
          if (mutation.version() != null) {
            throw unsupported(Capability.VERSIONED_WRITES);
          }
          if (mutation.lock() != null) {
            throw unsupported(Capability.LOCKS);
          }
          return inPhase(
              call,
              (store, c) -> store.write(key, mutation, c),
              (view, c) ->
                  beforeSending(clock.awaitPast(view.floor()), c)
                      .thenCompose(
                          passed ->
                              writeNew(
                                  key,
                                  mutation.withVersion(clock.next()),
                                  c,
                                  FIRST_BACKOFF,
                                  false)),
              Futures::writeFailure);
        });
  }

  /**
   * Writes to the new store until it acknowledges or the deadline passes. The version stays the
   * same, so that an attempt whose outcome is unknown is harmless, however late it arrives.
   */
  private CompletionStage<Long> writeNew(
      StoreKey key, Mutation mutation, Call call, Duration backoff, boolean maybeApplied) {
    return beforeSending(fresh(), call)
        .thenCompose(
            store ->
                beforeSending(newClock.require(), call)
                    .thenCompose(known -> reporting(Events.NEW, store.write(key, mutation, call))))
        .handle(
            (version, error) -> {
              if (error == null) {
                return CompletableFuture.completedFuture(version);
              }
              failures.incrementAndGet();
              KvException cause = Futures.writeFailure(error);
              boolean unknown = cause instanceof KvException.UnknownOutcome;
              if (!unknown && !(cause instanceof KvException.Transient)) {
                return CompletableFuture.<Long>failedFuture(maybeApplied ? lost(cause) : cause);
              }
              if (call.remaining().compareTo(backoff) <= 0) {
                return CompletableFuture.<Long>failedFuture(
                    maybeApplied && !unknown ? lost(cause) : cause);
              }
              Duration next = backoff.multipliedBy(2);
              return Futures.after(backoff)
                  .thenCompose(
                      waited ->
                          writeNew(
                              key,
                              mutation,
                              call,
                              next.compareTo(LAST_BACKOFF) < 0 ? next : LAST_BACKOFF,
                              maybeApplied || unknown));
            })
        .thenCompose(stage -> stage);
  }

  /**
   * Waits for what a request needs before it is sent, no longer than until its deadline: a new side
   * that neither opens nor tells its time must not keep its callers.
   */
  private <T> CompletionStage<T> beforeSending(CompletionStage<T> needed, Call call) {
    return Futures.within(
        call,
        needed,
        () ->
            new KvException.Transient(
                "the new side of collection "
                    + name
                    + " was not ready by the deadline, and nothing was sent: try again"));
  }

  private static KvException lost(KvException cause) {
    return new KvException.UnknownOutcome(
        "an earlier attempt may have been applied: read back, or write again", cause);
  }

  /**
   * Runs an operation in the current phase, and again in the next if it was refused.
   *
   * @param failure the error of an operation whose driver has failed with any other
   */
  private <T extends @Nullable Object> CompletionStage<T> inPhase(
      Call call,
      BiFunction<StoreCollection, Call, CompletionStage<T>> onOld,
      BiFunction<PhaseTracker.View, Call, CompletionStage<T>> onNew,
      Function<Throwable, KvException> failure) {
    PhaseTracker.View view = tracker.begin();
    return Futures.start(
            () ->
                switch (view.phase()) {
                  case LEGACY ->
                      reporting(
                          Events.OLD,
                          Futures.start(
                              () -> onOld.apply(requireOld(), call.withEpoch(view.epoch()))));
                  case NEW_ONLY -> onNew.apply(view, call);
                  default ->
                      throw new KvException.Permanent(
                          "collection "
                              + name
                              + " is in phase "
                              + view.phase()
                              + ", which this version does not know: upgrade the library");
                })
        .whenComplete((value, error) -> tracker.end(view))
        .handle(
            (value, error) -> {
              if (error == null) {
                return CompletableFuture.completedFuture(value);
              }
              KvException cause = failure.apply(error);
              if (!(cause instanceof StalePhase stale)) {
                return CompletableFuture.<T>failedFuture(cause);
              }
              learn(stale.copy());
              learn(stale.epoch(), stale.phase(), stale.floor());
              return call.isExpired() || tracker.current() == view
                  ? CompletableFuture.<T>failedFuture(
                      new KvException.Transient(
                          "collection " + name + " changed its phase meanwhile: try again", stale))
                  : inPhase(call, onOld, onNew, failure);
            })
        .thenCompose(stage -> stage);
  }

  /** Returns what to report to the leader; null once there is nothing to tell it any more. */
  InstanceReport.@Nullable Use report() {
    if (old == null || tracker.current().phase() == Phase.NEW_ONLY) {
      return null;
    }
    ClockSkew skew = newClock.skew();
    InstanceReport.Use reported =
        InstanceReport.Use.acknowledging(tracker.acknowledged())
            .withLayout(layout)
            .withSkew(skew == null ? null : skew.atLeast().abs())
            .withFailures(failures.get());
    synchronized (this) {
      return reported.withCopy(newSide.seen).withProblem(newSide.problemOr(newClock));
    }
  }

  /** Calls when a reply of the leader shows an epoch that this collection does not know. */
  void listen(Runnable onNewEpoch) {
    if (old != null) {
      old.gate()
          .listen(
              epoch -> {
                if (epoch > tracker.current().epoch()) {
                  onNewEpoch.run();
                }
              });
    }
  }

  /** Takes note of what the leader says. */
  void learn(Gate.State state) {
    learn(state.copy());
    learn(state.epoch(), state.phase(), state.floor());
  }

  private void learn(long epoch, Phase phase, long floor) {
    if (tracker.learn(epoch, phase, floor)) {
      events.phase(name, phase);
    }
  }

  /** Reports the failure of a side. A refusal of the request itself is none. */
  private <T extends @Nullable Object> CompletionStage<T> reporting(
      String side, CompletionStage<T> request) {
    return request.whenComplete(
        (value, error) -> {
          if (error != null) {
            KvException cause = Futures.readFailure(error);
            boolean refused =
                cause instanceof KvException.CollectionFenced
                    || cause instanceof KvException.CollectionMoved
                    || cause instanceof KvException.InvalidArgument
                    || cause instanceof KvException.UnsupportedCapability;
            if (!refused) {
              events.sideFailed(side, name, cause);
            }
          }
        });
  }

  /** Takes note of the copy that the gate names; a new side that holds another is opened again. */
  private synchronized void learn(@Nullable Copy named) {
    if (named != null && !named.equals(copy)) {
      copy = named;
      newSide = new NewSide();
    }
  }

  /**
   * Opens the new side ahead of its need once its migration is prepared, so that no write waits for
   * a connection at the switch, and looks at it again every 30 s: it must go on holding the copy.
   * While it cannot be opened, the pauses grow.
   *
   * @param onOpened called when the new side was opened for the first time
   */
  void prepareNewSide(Runnable onOpened) {
    if (copy == null || tracker.current().phase() == Phase.NEW_ONLY) {
      return;
    }
    NewSide looked;
    synchronized (this) {
      looked = newSide;
      if (!looked.beginLook()) {
        return;
      }
    }
    if (!newClock.isRight()) {
      newClock.measure();
    }
    boolean isFirst = looked.opened == null;
    open(looked)
        .thenAccept(
            opened -> {
              if (isFirst) {
                onOpened.run();
              }
            });
  }

  private CompletionStage<NewSide.Opened> open(NewSide side) {
    Copy asked = copy;
    long floor = tracker.current().floor();
    return reporting(Events.NEW, Futures.start(() -> newOpener.open(asked, floor)))
        .whenComplete(
            (opened, error) -> {
              synchronized (this) {
                side.end(asked, floor, opened, error == null ? null : Futures.readFailure(error));
              }
              if (error != null) {
                failures.incrementAndGet();
              }
            });
  }

  private StoreCollection requireOld() {
    if (old == null) {
      throw new KvException.Permanent("collection " + name + " was opened without its old store");
    }
    return old;
  }

  /** Returns the new side, opening it if need be; requests that ask at once share one opening. */
  private CompletionStage<StoreCollection> fresh() {
    CompletableFuture<StoreCollection> result = new CompletableFuture<>();
    NewSide side;
    synchronized (this) {
      side = newSide;
      StoreCollection checked = side.checked(tracker.current().floor());
      if (checked != null) {
        return CompletableFuture.completedFuture(checked);
      }
      if (side.opening != null) {
        return side.opening;
      }
      side.opening = result;
    }
    open(side)
        .whenComplete(
            (opened, error) -> {
              synchronized (this) {
                side.opening = null;
              }
              if (error == null) {
                result.complete(opened.collection());
              } else {
                result.completeExceptionally(Futures.readFailure(error));
              }
            });
    return result;
  }

  @Override
  public long token(StoreKey key) {
    throw unsupported(Capability.SCAN);
  }

  @Override
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
    return CompletableFuture.failedFuture(unsupported(Capability.SCAN));
  }

  @Override
  public CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    return CompletableFuture.failedFuture(unsupported(Capability.SCAN));
  }

  @Override
  public ChangeSource changes() {
    throw unsupported(Capability.CHANGE_SOURCE);
  }

  @Override
  public Gate gate() {
    throw unsupported(Capability.GATE);
  }

  private static KvException unsupported(Capability capability) {
    return new KvException.UnsupportedCapability(capability, "transition://");
  }
}
