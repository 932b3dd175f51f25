package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
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
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One collection of a transition store, while it moves and afterwards. An operation takes the phase
 * once, at its start. If it comes too late for that phase, the old store refuses it with {@code
 * StalePhase}, which names the new one. The table in section 3 of the protocol lists, for each
 * phase, where writes go, who acknowledges them and who answers reads.
 *
 * <p>Before new-only, the old store's leader gives every write its version, and the new side gets
 * only what the leader has committed. A message that reaches the new side late therefore does no
 * harm, however late it is.
 */
final class TransitionCollection implements StoreCollection, Reported {
  private static final Logger LOG = LoggerFactory.getLogger(TransitionCollection.class);
  private static final Duration FIRST_OPENING_PAUSE = Duration.ofSeconds(1);
  private static final Duration LONGEST_OPENING_PAUSE = Duration.ofSeconds(30);

  /**
   * The use for which a service opens a collection.
   *
   * @param claim {@code ACTIVE} or {@code READ}
   * @param service the service
   */
  record Use(String name, Layout layout, Claim claim, TransitionStore.Service service) {
    boolean isReadOnly() {
      return claim.kind() == Claim.Kind.READ;
    }
  }

  private final Use use;
  private final String name;
  private final OperationChecker untilOpened;
  private final Home home;
  private volatile @Nullable StoreCollection old;
  private final NewSide newSide;
  private final PhaseTracker tracker;
  private final Lease leaderLease;
  private final Lease clockLease;
  private final VersionClock clock;
  private final Events events;
  private final NewWrites newWrites;
  private final ShadowWrites shadowWrites;
  private final ShadowWrites following;
  private final Comparisons comparisons;
  private final FailOver failOver;
  private final Help help;
  private final KnownBackFills backFilled;

  /**
   * The version above which the instance draws its own because the old side has no leader; null if
   * it has one.
   */
  private final @Nullable Long oldFloor;

  private volatile long applied;
  private volatile int ramp;
  private volatile boolean cohortHasFailed;
  private volatile Runnable renewal = () -> {};
  private volatile Runnable newEpoch = () -> {};
  private final AtomicBoolean isOpeningOld = new AtomicBoolean();
  private volatile long nextOpeningNanos = System.nanoTime();
  private Duration openingPause = FIRST_OPENING_PAUSE;

  /** The hand-over to the clocks that the leader has told of; null for none. */
  private volatile Gate.@Nullable State handed;

  /** The store of the collection, as far as the collection uses it. */
  interface Home {
    /** Returns the lock space of a name. */
    StoreLocks locks(String space);

    /**
     * Opens the old side's collection, if it belongs to the migration.
     *
     * @param copy the copy that the gate names; null if it names none
     */
    CompletionStage<StoreCollection> openOld(@Nullable Copy copy);

    /** Opens the marks of a copy on the new side; null if there are none. */
    CompletionStage<@Nullable BackFilledKeys> backFilled(Copy copy);
  }

  /** A read of either side. */
  private interface Read<T extends @Nullable Object> {
    Bytes main();

    CompletionStage<T> from(StoreCollection store, Call call);

    /** Returns the rows of an answer, tombstones included. */
    List<Row> rows(T answer);

    /** Returns whether an answer may only mean that the side does not have the entry yet. */
    boolean isMiss(T answer);

    /** Returns an answer without tombstones, which only one of the stores can return. */
    T shown(T answer);

    /** Merges the answers of both sides. */
    Merge<T> merge(T old, T fresh);
  }

  private record RowRead(StoreKey key) implements Read<@Nullable Row> {
    @Override
    public Bytes main() {
      return key.main();
    }

    @Override
    public CompletionStage<@Nullable Row> from(StoreCollection store, Call call) {
      return store.get(key, call);
    }

    @Override
    public List<Row> rows(@Nullable Row answer) {
      return answer == null ? List.of() : List.of(answer);
    }

    @Override
    public boolean isMiss(@Nullable Row answer) {
      return answer == null;
    }

    @Override
    public @Nullable Row shown(@Nullable Row answer) {
      return answer == null || answer.isTombstone() ? null : answer;
    }

    @Override
    public Merge<@Nullable Row> merge(@Nullable Row old, @Nullable Row fresh) {
      return Merge.rows(old, fresh);
    }
  }

  /** A page is served whole by one side; an empty or short one is never taken for a miss. */
  private record PageRead(Bytes main, Bytes shard, Range range, PageLimit limit)
      implements Read<RowPage> {
    @Override
    public CompletionStage<RowPage> from(StoreCollection store, Call call) {
      return store.range(main, shard, range, limit, call);
    }

    @Override
    public List<Row> rows(RowPage answer) {
      return answer.rows();
    }

    @Override
    public boolean isMiss(RowPage answer) {
      return false;
    }

    @Override
    public RowPage shown(RowPage answer) {
      return answer.rows().stream().noneMatch(Row::isTombstone)
          ? answer
          : RowPage.of(
              answer.rows().stream().filter(row -> !row.isTombstone()).toList(),
              answer.stop(),
              answer.passed());
    }

    @Override
    public Merge<RowPage> merge(RowPage old, RowPage fresh) {
      return Merge.pages(old, fresh, range, limit);
    }
  }

  /** The failure of a read whose answer may have come too late for its phase and is discarded. */
  @SuppressWarnings("serial")
  private static final class LeaseLost extends RuntimeException {
    private LeaseLost() {
      super("the phase may have changed", null, false, false);
    }
  }

  /**
   * Creates a collection.
   *
   * @param use the use for which the service opens it
   * @param untilOpened the limits until the new side has been opened
   * @param old the old store's collection; null once the new one serves alone, or while the old one
   *     only follows and has not answered yet
   * @param state the state that the gate's keeper has returned
   * @param registered when the report was sent with which the instance has registered there
   * @param oldFloor the version above which instances draw theirs if the old side has no leader;
   *     null if it has one
   */
  TransitionCollection(
      Use use,
      Limits untilOpened,
      @Nullable StoreCollection old,
      NewSide newSide,
      Gate.State state,
      Lease.Moment registered,
      VersionClock clock,
      Home home,
      Events events,
      @Nullable Long oldFloor) {
    this.use = use;
    this.name = use.name;
    this.untilOpened = OperationChecker.of(name, use.layout, untilOpened).claimed(use.claim);
    this.old = old;
    this.newSide = newSide;
    this.oldFloor = oldFloor;
    boolean isClockOrdered = isClockOrdered(state);
    this.tracker = new PhaseTracker(state.epoch(), state.phase(), state.floor(), isClockOrdered);
    this.leaderLease = lease(isClockOrdered ? null : registered);
    this.clockLease = lease(isClockOrdered ? registered : null);
    this.clock = clock;
    this.home = home;
    this.events = events;
    this.newWrites = new NewWrites(name, newSide, Lease.Moment::now);
    this.shadowWrites = new ShadowWrites(name, new OnNew(), events);
    this.following = new ShadowWrites(name, new OnOld(), events);
    this.comparisons = new Comparisons(name, newSide, () -> applied, events);
    this.failOver = new FailOver(name, events);
    this.help = new Help(name, newSide, newWrites, events);
    this.backFilled = new KnownBackFills(home::backFilled);
    this.applied = state.applied();
    this.ramp = state.ramp();
  }

  /** Returns whether clocks draw the versions in a state, not the old store's leader. */
  private boolean isClockOrdered(Gate.State state) {
    return oldFloor != null || state.isClockOrdered() || state.phase() == Phase.NEW_ONLY;
  }

  private static Lease lease(Lease.@Nullable Moment renewed) {
    return new Lease(System::nanoTime, System::currentTimeMillis, renewed);
  }

  /** The new side as it gets best-effort writes before dual-write. */
  private final class OnNew implements ShadowWrites.Target {
    @Override
    public String side() {
      return Events.NEW;
    }

    @Override
    public @Nullable StoreCollection openedOrNull() {
      return newSide.openedOrNull();
    }

    @Override
    public CompletionStage<Void> ready(Call call) {
      return newSide.requireClock(call);
    }

    @Override
    public void ended(boolean isDone) {
      if (isDone) {
        newSide.counter().answered();
      } else {
        newSide.counter().failed();
      }
    }
  }

  /** The old side as it gets best-effort writes while it follows: protocol, 12. */
  private final class OnOld implements ShadowWrites.Target {
    @Override
    public String side() {
      return Events.OLD;
    }

    @Override
    public @Nullable StoreCollection openedOrNull() {
      return old;
    }

    @Override
    public CompletionStage<Void> ready(Call call) {
      return CompletableFuture.completedFuture(null);
    }

    /** Does nothing: the observer hears of it, and the way back brings what is missing. */
    @Override
    public void ended(boolean isDone) {}
  }

  /** Returns the use for which the service has opened the collection. */
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
    return use.layout;
  }

  /** Returns whether requests need the old side now. */
  boolean needsOld() {
    PhaseTracker.View view = tracker.current();
    return view.phase() != Phase.NEW_ONLY && !isFollowed(view);
  }

  /** Returns whether requests need the new side now. */
  boolean needsNew() {
    return phase().compareTo(Phase.DUAL_WRITE) >= 0;
  }

  /** Ends once no request need wait for the new side to be opened: {@link NewSide#warmUp}. */
  CompletionStage<?> warmUp(Call call) {
    PhaseTracker.View view = tracker.current();
    // A reader may not open a copy before it holds everything.
    return view.phase().compareTo(use.isReadOnly() ? Phase.NEW_READ : Phase.DUAL_WRITE) < 0
        ? done()
        : newSide.warmUp(view.phase() == Phase.NEW_ONLY ? view.floor() : 0, call);
  }

  /** Returns whether the new side answers and acknowledges alone, and the old one follows. */
  private boolean isFollowed(PhaseTracker.View view) {
    return view.isClockOrdered() && view.phase() == Phase.NEW_PRIMARY;
  }

  @Override
  public void check(StoreKey key, Mutation mutation) {
    Phase phase = phase();
    checkOld(phase, key, mutation);
    if (phase.compareTo(Phase.DUAL_WRITE) >= 0) {
      checkNew(key, mutation);
    }
  }

  /** Checks the limits of the old side as long as it has to hold what is written. */
  private void checkOld(Phase phase, StoreKey key, Mutation mutation) {
    StoreCollection opened = old;
    if (phase != Phase.NEW_ONLY && opened != null) {
      opened.check(key, mutation);
    }
  }

  /** Checks the limits of every new store, or of this one once it is open. */
  private void checkNew(StoreKey key, Mutation mutation) {
    StoreCollection opened = newSide.openedOrNull();
    if (opened == null) {
      untilOpened.check(key, mutation);
    } else {
      opened.check(key, mutation);
    }
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    return read(new RowRead(key), call);
  }

  /**
   * Reads rows together in the last phase only. Before it, each read takes its own phase, lease and
   * help.
   */
  @Override
  public List<CompletionStage<@Nullable Row>> getAll(List<StoreKey> keys, Call call) {
    PhaseTracker.View view = tracker.current();
    StoreCollection checked =
        view.phase() == Phase.NEW_ONLY ? newSide.checkedOrNull(view.floor()) : null;
    if (checked == null) {
      return StoreCollection.super.getAll(keys, call);
    }
    List<CompletionStage<@Nullable Row>> answered = checked.getAll(keys, call);
    List<CompletionStage<@Nullable Row>> rows = new ArrayList<>(keys.size());
    for (int i = 0; i < keys.size(); i++) {
      rows.add(shown(new RowRead(keys.get(i)), answered.get(i)));
    }
    return rows;
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return read(new PageRead(main, shard, range, limit), call);
  }

  /**
   * Reads from the side that answers in the present phase. A service that prefers the new side
   * reads there first, and from the old side if that fails: it has half of the time.
   */
  private <T extends @Nullable Object> CompletionStage<T> read(Read<T> read, Call call) {
    PhaseTracker.View view = tracker.current();
    if (view.phase() == Phase.NEW_ONLY) {
      return readNewOnly(read, view.floor(), call);
    }
    StoreCollection preferred = use.service.prefersNew() ? newSide.readable() : null;
    if (preferred == null) {
      return readInPhase(read, call);
    }
    return newSide
        .send(() -> read.from(preferred, Call.within(half(call))))
        .thenApply(read::shown)
        .exceptionallyCompose(
            error ->
                Futures.unwrap(error) instanceof KvException.InvalidArgument refused
                    ? CompletableFuture.failedFuture(refused)
                    : readInPhase(read, call));
  }

  /** Reads in the last phase. No step comes after it, so no operation needs to be counted. */
  private <T extends @Nullable Object> CompletionStage<T> readNewOnly(
      Read<T> read, long floor, Call call) {
    StoreCollection checked = newSide.checkedOrNull(floor);
    return checked != null
        ? readNewOnly(read, checked, call)
        : newSide.store(floor, call).thenCompose(store -> readNewOnly(read, store, call));
  }

  private <T extends @Nullable Object> CompletionStage<T> readNewOnly(
      Read<T> read, StoreCollection store, Call call) {
    return shown(read, Futures.start(() -> read.from(store, call)));
  }

  /** Returns an answer of the last phase as services see it. Its failure is the request's own. */
  private <T extends @Nullable Object> CompletionStage<T> shown(
      Read<T> read, CompletionStage<T> answered) {
    return newSide.keepsDeletes() ? answered.thenApply(read::shown) : answered;
  }

  private static CompletionStage<?> done() {
    return CompletableFuture.completedFuture(null);
  }

  private static Duration half(Call call) {
    return call.remaining().dividedBy(2);
  }

  private <T extends @Nullable Object> CompletionStage<T> readInPhase(Read<T> read, Call call) {
    PhaseTracker.View view = tracker.current();
    StoreCollection checked = view.phase() == Phase.NEW_PRIMARY ? newSide.checkedOrNull(0) : null;
    return checked == null
        ? new ReadOperation<>(read, call).begin()
        : new PrimaryRead<>(read, view, call).begin(checked);
  }

  /**
   * A read from the new side in new-primary. It does what {@link #readNewLeased} does, with fewer
   * stages, and need not be counted for its epoch: its answer is discarded once this instance knows
   * of another one.
   */
  private final class PrimaryRead<T extends @Nullable Object> extends CompletableFuture<T>
      implements BiConsumer<T, @Nullable Throwable> {
    private final Read<T> read;
    private final PhaseTracker.View view;
    private final Call call;

    PrimaryRead(Read<T> read, PhaseTracker.View view, Call call) {
      this.read = read;
      this.view = view;
      this.call = call;
    }

    CompletionStage<T> begin(StoreCollection checked) {
      timed(Events.NEW, Futures.start(() -> read.from(checked, call))).whenComplete(this);
      return this;
    }

    @Override
    public void accept(T answer, @Nullable Throwable error) {
      try {
        newSide.ended(error);
        if (error != null) {
          completeExceptionally(Futures.readFailure(error));
        } else if (isStill(view)) {
          complete(read.shown(answer));
        } else {
          readAgain();
        }
      } catch (Throwable e) { // or the caller would wait for ever
        completeExceptionally(Futures.readFailure(e));
      }
    }

    private void readAgain() {
      ReadOperation<T> again = new ReadOperation<>(read, call);
      again.whenComplete(
          (answer, error) -> {
            if (error == null) {
              complete(answer);
            } else {
              completeExceptionally(error);
            }
          });
      again.beginAfterLoss(view);
    }
  }

  private final class ReadOperation<T extends @Nullable Object> extends Operation<T> {
    private final Read<T> read;

    ReadOperation(Read<T> read, Call call) {
      super(call);
      this.read = read;
    }

    @Override
    CompletionStage<T> attempt(PhaseTracker.View view, Call call) {
      if (view.isClockOrdered()) {
        return readByClock(read, view, call);
      }
      return switch (view.phase()) {
        case LEGACY, SHADOW_WRITE, DUAL_WRITE -> readOld(read, view, call);
        case SHADOW_READ -> readOldComparing(read, view, call);
        case NEW_READ ->
            (isInCohort(read.main()) || isInRamp(read.main())) && failOver.isNewAllowed()
                ? readNewOrOld(read, view, call)
                : readOldHelping(read, view, call, false);
        case NEW_PRIMARY -> readNewLeased(read, view, call);
        case NEW_ONLY -> readNewOnly(read, view.floor(), call);
      };
    }

    @Override
    T shown(T answer) {
      return read.shown(answer);
    }

    @Override
    KvException failure(Throwable error) {
      return Futures.readFailure(error);
    }
  }

  private <T extends @Nullable Object> CompletionStage<T> readOld(
      Read<T> read, PhaseTracker.View view, Call call) {
    return onOld(view, () -> read.from(requireOld(), call.withEpoch(view.epoch())));
  }

  /**
   * Reads from the old side. Before the answer is returned, writes to the new side what may not be
   * there yet, since another instance may already read from there. A service that only reads may
   * lack the right to write, so it does not.
   *
   * @param missed whether the new side was asked before and had nothing
   */
  private <T extends @Nullable Object> CompletionStage<T> readOldHelping(
      Read<T> read, PhaseTracker.View view, Call call, boolean missed) {
    CompletionStage<T> answered = readOld(read, view, call);
    return use.isReadOnly()
        ? answered
        : answered.thenCompose(
            answer ->
                help.give(read.rows(answer), missed, applied, call).thenApply(given -> answer));
  }

  private <T extends @Nullable Object> CompletionStage<T> readOldComparing(
      Read<T> read, PhaseTracker.View view, Call call) {
    return readOldHelping(read, view, call, false)
        .thenApply(
            answer -> {
              if (read instanceof RowRead row) {
                List<Row> shown = read.rows(answer);
                comparisons.sample(
                    row.key(),
                    shown.isEmpty() ? null : shown.get(0),
                    again -> requireOld().get(row.key(), again.withEpoch(view.epoch())));
              }
              return answer;
            });
  }

  /**
   * Reads from the new side, with half the time, and from the old one if that has nothing or fails.
   */
  private <T extends @Nullable Object> CompletionStage<T> readNewOrOld(
      Read<T> read, PhaseTracker.View view, Call call) {
    return Futures.start(() -> readNewLeased(read, view, Call.within(half(call))))
        .handle(
            (answer, error) -> {
              if (error == null) {
                failOver.succeeded();
                return read.isMiss(answer)
                    ? readOldHelping(read, view, call, true)
                    : CompletableFuture.completedFuture(answer);
              }
              Throwable cause = Futures.unwrap(error);
              if (cause instanceof LeaseLost
                  || (cause instanceof KvException known && Events.isRefusal(known))) {
                failOver.succeeded();
                return CompletableFuture.<T>failedFuture(cause);
              }
              failOver.failed();
              return readOldHelping(read, view, call, false);
            })
        .thenCompose(stage -> stage);
  }

  /** Reads from the new side; discards the answer unless the phase is certainly still the same. */
  private <T extends @Nullable Object> CompletionStage<T> readNewLeased(
      Read<T> read, PhaseTracker.View view, Call call) {
    StoreCollection checked = newSide.checkedOrNull(0);
    return checked != null
        ? readLeased(read, checked, view, call)
        : newSide.store(0, call).thenCompose(store -> readLeased(read, store, view, call));
  }

  private <T extends @Nullable Object> CompletionStage<T> readLeased(
      Read<T> read, StoreCollection store, PhaseTracker.View view, Call call) {
    return timed(Events.NEW, read.from(store, call))
        .handle(
            (answer, error) -> {
              newSide.ended(error);
              if (error != null) {
                throw Futures.readFailure(error);
              }
              requireStill(view);
              return answer;
            });
  }

  /**
   * Checks that no step can have been completed without this operation.
   *
   * @throws LeaseLost if one may have been
   */
  private void requireStill(PhaseTracker.View view) {
    if (!isStill(view)) {
      throw new LeaseLost();
    }
  }

  /**
   * Returns whether a phase certainly lasts. A lease that holds is not enough: after a pause it may
   * have run out and been renewed, with a later phase. A report sets the phase before it renews the
   * lease, so the lease is checked first.
   */
  private boolean isStill(PhaseTracker.View view) {
    return lease(view).holds() && tracker.current() == view;
  }

  private Lease lease(PhaseTracker.View view) {
    return view.isClockOrdered() ? clockLease : leaderLease;
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return Futures.start(
        () -> {
          untilOpened.requireWritable();
          if (mutation.version() != null) {
            throw unsupported(Capability.VERSIONED_WRITES);
          }
          PhaseTracker.View view = tracker.current();
          return view.phase() == Phase.NEW_ONLY
              ? writeNewOnly(view.floor(), key, mutation, call)
              : new WriteOperation(key, mutation, call).begin();
        });
  }

  /**
   * Writes rows together in the last phase only. Before it, each write takes its own phase, version
   * and acknowledgements.
   */
  @Override
  public Map<StoreKey, CompletionStage<Long>> writeAll(
      Map<StoreKey, Mutation> mutations, Call call) {
    PhaseTracker.View view = tracker.current();
    StoreCollection checked =
        view.phase() == Phase.NEW_ONLY ? newSide.checkedOrNull(view.floor()) : null;
    Map<StoreKey, Mutation> drawn =
        checked == null || use.isReadOnly() ? null : drawnNow(mutations, view.floor());
    return drawn == null
        ? StoreCollection.super.writeAll(mutations, call)
        : newWrites.writeAllDrawn(checked, view.floor(), drawn, call);
  }

  /**
   * Returns writes with the versions that they get now; null if one is under a lock, has a version
   * or has to wait for it.
   */
  private @Nullable Map<StoreKey, Mutation> drawnNow(
      Map<StoreKey, Mutation> mutations, long floor) {
    Map<StoreKey, Mutation> drawn = new LinkedHashMap<>();
    for (Map.Entry<StoreKey, Mutation> write : mutations.entrySet()) {
      Mutation mutation = write.getValue();
      boolean isPlain = mutation.lock() == null && mutation.version() == null;
      long version = isPlain ? newSide.drawNow(floor) : StoreClock.NOT_NOW;
      if (version == StoreClock.NOT_NOW) {
        return null;
      }
      drawn.put(write.getKey(), mutation.withVersion(version));
    }
    return drawn;
  }

  /**
   * Reads in clock order: protocol, 11. Nobody refuses a request that comes too late for its phase,
   * so that an answer counts only if the phase is certainly still the same.
   */
  private <T extends @Nullable Object> CompletionStage<T> readByClock(
      Read<T> read, PhaseTracker.View view, Call call) {
    return switch (view.phase()) {
      case LEGACY, SHADOW_WRITE, DUAL_WRITE -> still(view, readOld(read, view, call));
      case SHADOW_READ -> still(view, readMerged(read, view, call));
      case NEW_READ ->
          isBackFilled(read.main(), view)
              ? readNewLeased(read, view, call)
              : still(view, readMerged(read, view, call));
      case NEW_PRIMARY -> readNewLeased(read, view, call);
      case NEW_ONLY -> readNewOnly(read, view.floor(), call);
    };
  }

  /**
   * Returns whether the new side has everything of a main key that was ever acknowledged or
   * returned, because it was back-filled in this epoch of new-read. Not on the way back to a
   * leader, which leads right after that phase.
   */
  private boolean isBackFilled(Bytes main, PhaseTracker.View view) {
    return oldFloor != null && backFilled.includes(newSide.copy(), main, view.epoch());
  }

  private <T extends @Nullable Object> CompletionStage<T> still(
      PhaseTracker.View view, CompletionStage<T> answered) {
    return answered.thenApply(
        answer -> {
          requireStill(view);
          return answer;
        });
  }

  /** Reads both sides, and returns the newest once the side that has less has it, too. */
  private <T extends @Nullable Object> CompletionStage<T> readMerged(
      Read<T> read, PhaseTracker.View view, Call call) {
    CompletionStage<T> fromNew =
        newSide
            .store(0, call)
            .thenCompose(store -> timed(Events.NEW, newSide.send(() -> read.from(store, call))));
    return readOld(read, view, call)
        .thenCombine(fromNew, read::merge)
        .thenCompose(
            merged -> {
              List<Row> toOld = missingOnOld(view, merged);
              if (use.isReadOnly() && !(merged.toNew().isEmpty() && toOld.isEmpty())) {
                throw new KvException.Transient(
                    "collection "
                        + name
                        + " is going back to its old store, which lacks what the new one shows, or"
                        + " the other way round, and a reader may not write it: try again");
              }
              return help.give(merged.toNew(), false, Long.MIN_VALUE, call)
                  .thenCompose(given -> giveOld(view, toOld, call))
                  .thenApply(given -> merged.answer());
            });
  }

  /**
   * Returns the rows that the old side lacks. What a leader has issued itself it lacks only because
   * it has purged it.
   */
  private List<Row> missingOnOld(PhaseTracker.View view, Merge<?> merged) {
    return oldFloor != null
        ? merged.toOld()
        : merged.toOld().stream().filter(row -> row.version() > view.floor()).toList();
  }

  /** Writes rows to the old side at their versions. */
  private CompletionStage<?> giveOld(PhaseTracker.View view, List<Row> rows, Call call) {
    CompletionStage<?> given = CompletableFuture.completedFuture(null);
    for (Row row : rows) {
      given =
          given.thenCompose(
              before ->
                  onOld(
                      view,
                      () ->
                          requireOld()
                              .write(row.key(), row.toMutation(), call.withEpoch(view.epoch()))));
    }
    return given.exceptionallyCompose(
        error -> {
          KvException cause = Futures.writeFailure(error);
          return CompletableFuture.failedFuture(
              cause instanceof StalePhase
                  ? cause
                  : new KvException.Transient(
                      "collection "
                          + name
                          + ": what the new side shows could not be written to the old one: try"
                          + " again",
                      cause));
        });
  }

  private final class WriteOperation extends Operation<Long> {
    private final StoreKey key;
    private final Mutation mutation;

    /** The version that a clock has given the write, for all its attempts; null before. */
    private volatile @Nullable Long drawn;

    private volatile boolean isOnOld;
    private volatile boolean isOnNew;
    private volatile boolean mayBeApplied;

    WriteOperation(StoreKey key, Mutation mutation, Call call) {
      super(call);
      this.key = key;
      this.mutation = mutation;
    }

    @Override
    CompletionStage<Long> attempt(PhaseTracker.View view, Call call) {
      CompletionStage<Long> ended = endOfFormerEra(view);
      if (ended != null) {
        return ended.thenCompose(version -> ifStillHeld(version, call));
      }
      if (view.isClockOrdered()) {
        return writeByClock(view, call);
      }
      return switch (view.phase()) {
        case LEGACY -> writeOld(view, key, mutation, call);
        case SHADOW_WRITE -> writeShadowing(view, key, mutation, call);
        case DUAL_WRITE, SHADOW_READ, NEW_READ, NEW_PRIMARY -> writeBoth(view, key, mutation, call);
        case NEW_ONLY -> writeNewOnly(view.floor(), key, mutation, call);
      };
    }

    @Override
    Long shown(Long version) {
      return version;
    }

    @Override
    KvException failure(Throwable error) {
      KvException cause = Futures.writeFailure(error);
      return !mayBeApplied || cause instanceof KvException.UnknownOutcome
          ? cause
          : new KvException.UnknownOutcome(
              "collection "
                  + name
                  + ": one side may have the write, the other has not acknowledged it: read back,"
                  + " or write again",
              cause);
    }

    /**
     * Ends a write whose version was drawn before the collection went back to the old store. It is
     * acknowledged if both sides had it by then. Otherwise the new side, or a reader who has merged
     * both, may have it: what becomes of it is not known.
     *
     * @return null if the write goes on
     */
    private @Nullable CompletionStage<Long> endOfFormerEra(PhaseTracker.View view) {
      Long version = drawn;
      if (version == null) {
        return null;
      }
      boolean isOfThisEra = oldFloor != null || (view.isClockOrdered() && version > view.floor());
      if (isOfThisEra) {
        return null;
      }
      if (isOnOld && isOnNew) {
        return CompletableFuture.completedFuture(version);
      }
      if (mayBeApplied) {
        return CompletableFuture.failedFuture(
            new KvException.UnknownOutcome(
                "collection "
                    + name
                    + " went back to its old store meanwhile, which may not have the write: read"
                    + " back, or write again"));
      }
      drawn = null;
      return null;
    }

    /** Returns the version above which writes draw theirs. */
    private long floor(PhaseTracker.View view) {
      return oldFloor == null || view.phase() == Phase.NEW_ONLY ? view.floor() : oldFloor;
    }

    /**
     * Writes in clock order: at one version, for good, to the sides that the phase asks for. The
     * write is acknowledged if the phase is certainly still the same then. Otherwise the next
     * attempt, in the phase that it learns, sends it to the sides that have not got it.
     */
    private CompletionStage<Long> writeByClock(PhaseTracker.View view, Call call) {
      if (mutation.lock() != null && oldFloor != null) {
        throw unsupported(Capability.LOCKS);
      }
      Phase phase = view.phase();
      long sideFloor = phase == Phase.NEW_ONLY ? view.floor() : 0;
      if (phase == Phase.NEW_ONLY && drawn == null) {
        return writeNewOnly(view.floor(), key, mutation, call);
      }
      boolean needsOld = phase != Phase.NEW_ONLY && !isFollowed(view) && !isOnOld;
      boolean needsNew = phase.compareTo(Phase.DUAL_WRITE) >= 0 && !isOnNew;
      CompletionStage<?> checked =
          needsNew
              ? newSide.store(sideFloor, call).thenAccept(store -> store.check(key, mutation))
              : CompletableFuture.completedFuture(null);
      return checked
          .thenCompose(
              fits -> {
                checkOld(phase, key, mutation);
                return drawn == null ? draw(view, call) : CompletableFuture.completedFuture(drawn);
              })
          .thenCompose(
              version -> {
                drawn = version;
                Mutation sent = atVersion(mutation, version);
                Supplier<CompletionStage<?>> toOld =
                    () -> needsOld ? sendToOld(view, sent, call) : done();
                Supplier<CompletionStage<?>> toNew =
                    () -> needsNew ? sendToNew(sideFloor, sent, call) : done();
                return sendToBoth(toOld, toNew)
                    .thenApply(
                        done -> {
                          if (phase == Phase.SHADOW_WRITE && isInRamp(key.main())) {
                            shadowWrites.send(key, sent, view.epoch());
                          }
                          if (isFollowed(view)) {
                            following.send(key, sent, view.epoch());
                          }
                          if (phase != Phase.NEW_ONLY) {
                            requireStill(view);
                          }
                          return version;
                        });
              })
          .thenCompose(version -> ifStillHeld(version, call));
    }

    /** Acknowledges a write that its sides have, unless the lock that it was made under is lost. */
    private CompletionStage<Long> ifStillHeld(long version, Call call) {
      Lock lock = mutation.lock();
      return lock == null
          ? CompletableFuture.completedFuture(version)
          : requireStillHeld(lock, version, call);
    }

    /**
     * Sends to both sides at once or, while a leader may lead again, to the old one first: a leader
     * that leads refuses the write, and it can begin again as long as nobody has it.
     */
    private CompletionStage<?> sendToBoth(
        Supplier<CompletionStage<?>> toOld, Supplier<CompletionStage<?>> toNew) {
      return oldFloor == null
          ? toOld.get().thenCompose(sent -> toNew.get())
          : CompletableFuture.allOf(
              toOld.get().toCompletableFuture(), toNew.get().toCompletableFuture());
    }

    private CompletionStage<?> sendToOld(PhaseTracker.View view, Mutation sent, Call call) {
      return onOld(view, () -> requireOld().write(key, sent, call.withEpoch(view.epoch())))
          .whenComplete((done, error) -> ended(error, () -> isOnOld = true));
    }

    private CompletionStage<?> sendToNew(long sideFloor, Mutation sent, Call call) {
      return newWrites
          .write(sideFloor, key, sent, call)
          .whenComplete((done, error) -> ended(error, () -> isOnNew = true));
    }

    /** Draws the version by the new side's time, or has the lock's authority draw it. */
    private CompletionStage<Long> draw(PhaseTracker.View view, Call call) {
      Lock lock = mutation.lock();
      return lock == null
          ? newSide.draw(floor(view), call)
          : readByClock(new RowRead(key), view, call)
              .thenCompose(row -> drawUnderLock(lock, row, floor(view), call));
    }

    private void ended(@Nullable Throwable error, Runnable onAcknowledged) {
      if (error == null) {
        onAcknowledged.run();
      }
      if (error == null || Futures.writeFailure(error) instanceof KvException.UnknownOutcome) {
        mayBeApplied = true;
      }
    }
  }

  private CompletionStage<Long> writeOld(
      PhaseTracker.View view, StoreKey key, Mutation mutation, Call call) {
    return onOld(view, () -> requireOld().write(key, mutation, call.withEpoch(view.epoch())));
  }

  private CompletionStage<Long> writeShadowing(
      PhaseTracker.View view, StoreKey key, Mutation mutation, Call call) {
    return writeOld(view, key, mutation, call)
        .thenApply(
            version -> {
              if (isInRamp(key.main())) {
                shadowWrites.send(key, atVersion(mutation, version), view.epoch());
              }
              return version;
            });
  }

  /** Returns the write as the new side gets it: whoever has drawn its version knows the lock. */
  private static Mutation atVersion(Mutation mutation, long version) {
    return mutation.withLock(null).withVersion(version);
  }

  /** Writes to the old side, then to the new one at the version that the old one has issued. */
  private CompletionStage<Long> writeBoth(
      PhaseTracker.View view, StoreKey key, Mutation mutation, Call call) {
    return newSide
        .store(0, call)
        .thenCompose(
            store -> {
              requireOld().check(key, mutation);
              store.check(key, mutation);
              return newSide.requireClock(call);
            })
        .thenCompose(known -> writeOld(view, key, mutation, call))
        .thenCompose(
            version ->
                newWrites
                    .write(0, key, atVersion(mutation, version), call)
                    .exceptionallyCompose(
                        error -> CompletableFuture.failedFuture(onOldAlone(error))));
  }

  private KvException onOldAlone(Throwable error) {
    return new KvException.UnknownOutcome(
        "collection "
            + name
            + ": the old side has the write, the new one has not acknowledged it: read back, or"
            + " write again",
        Futures.writeFailure(error));
  }

  /** Writes in the last phase. No step comes after it, so no operation needs to be counted. */
  private CompletionStage<Long> writeNewOnly(
      long floor, StoreKey key, Mutation mutation, Call call) {
    if (mutation.lock() != null) {
      return writeNewLocked(floor, key, mutation, mutation.lock(), call);
    }
    long drawn = newSide.drawNow(floor);
    if (drawn != StoreClock.NOT_NOW) {
      return newWrites.writeDrawn(floor, key, mutation.withVersion(drawn), call);
    }
    newSide.store(floor, call); // opens it meanwhile, if necessary
    return newSide
        .draw(floor, call)
        .thenCompose(version -> newWrites.write(floor, key, mutation.withVersion(version), call));
  }

  /**
   * Writes under a lock. Its authority draws the version, above the row's and all that this process
   * has seen, and only while the lock is the last one granted. The write is acknowledged only if it
   * still is after the new side's answer: a later holder may have read before the write arrived.
   */
  private CompletionStage<Long> writeNewLocked(
      long floor, StoreKey key, Mutation mutation, Lock lock, Call call) {
    return newSide
        .store(floor, call)
        .thenCompose(
            store -> {
              store.check(key, mutation);
              return newSide.send(() -> store.get(key, call));
            })
        .thenCompose(row -> drawUnderLock(lock, row, floor, call))
        .thenCompose(version -> newWrites.write(floor, key, atVersion(mutation, version), call))
        .thenCompose(version -> requireStillHeld(lock, version, call));
  }

  /** Has a version drawn above a row, the floor and all that this process has seen. */
  private CompletionStage<Long> drawUnderLock(Lock lock, @Nullable Row row, long floor, Call call) {
    long seen = row == null ? 0 : row.version();
    long above = Math.max(Math.max(seen, floor), clock.last());
    return home.locks(lock.space())
        .version(lock, above, call)
        .exceptionallyCompose(error -> CompletableFuture.failedFuture(Futures.readFailure(error)));
  }

  private CompletionStage<Long> requireStillHeld(Lock lock, long version, Call call) {
    clock.observe(version);
    return home.locks(lock.space())
        .isHeld(lock, call)
        .handle(
            (held, error) -> {
              if (error != null || !held) {
                throw new KvException.UnknownOutcome(
                    "collection "
                        + name
                        + ": the lock was lost during the write, or could not be asked for after"
                        + " it; the write may have been applied: take the lock and read the key"
                        + " again",
                    error);
              }
              return version;
            });
  }

  /** Returns whether the phase already applies to a main key while it is ramped up. */
  private boolean isInRamp(Bytes main) {
    return Ramp.includes(ramp, main);
  }

  private boolean isInCohort(Bytes main) {
    try {
      return use.service.cohort().includes(name, main);
    } catch (RuntimeException e) {
      if (!cohortHasFailed) {
        cohortHasFailed = true;
        LOG.warn("the cohort of collection {} failed, and no main key is chosen then", name, e);
      }
      return false;
    }
  }

  /** Sends a request to the old side, whose latency counts once the new one is used too. */
  private <T extends @Nullable Object> CompletionStage<T> onOld(
      PhaseTracker.View view, Supplier<CompletionStage<T>> request) {
    CompletionStage<T> sent = events.reporting(Events.OLD, name, Futures.start(request));
    return view.phase() == Phase.LEGACY ? sent : timed(Events.OLD, sent);
  }

  private <T extends @Nullable Object> CompletionStage<T> timed(
      String side, CompletionStage<T> request) {
    if (!events.areObserved()) {
      return request;
    }
    long begun = System.nanoTime();
    return request.whenComplete(
        (answer, error) -> {
          if (error == null) {
            events.answered(side, name, Duration.ofNanos(System.nanoTime() - begun));
          }
        });
  }

  /**
   * An operation, from its first attempt to its end. It is attempted in the current phase, and
   * again if it was refused for its epoch or its answer was discarded.
   */
  private abstract class Operation<T extends @Nullable Object> extends CompletableFuture<T>
      implements BiConsumer<T, @Nullable Throwable> {
    private final Call call;
    private PhaseTracker.@Nullable View view;

    Operation(Call call) {
      this.call = call;
    }

    abstract CompletionStage<T> attempt(PhaseTracker.View view, Call call);

    /** Converts an answer for the caller. */
    abstract T shown(T answer);

    /** Converts the failure of a driver. */
    abstract KvException failure(Throwable error);

    final CompletionStage<T> begin() {
      PhaseTracker.View begun = tracker.begin();
      view = begun;
      CompletionStage<T> attempt;
      try {
        attempt = attempt(begun, call);
      } catch (Throwable e) { // or the caller would wait for ever
        attempt = CompletableFuture.failedFuture(e);
      }
      attempt.whenComplete(this);
      return this;
    }

    @Override
    public final void accept(T answer, @Nullable Throwable error) {
      PhaseTracker.View ended = view;
      tracker.end(ended);
      try {
        if (error == null) {
          complete(shown(answer));
        } else {
          failed(ended, error);
        }
      } catch (Throwable e) { // or the caller would wait for ever
        completeExceptionally(failure(e));
      }
    }

    private void failed(PhaseTracker.View ended, Throwable error) {
      if (Futures.unwrap(error) instanceof LeaseLost) {
        beginAfterLoss(ended);
        return;
      }
      KvException cause = failure(error);
      if (!(cause instanceof StalePhase stale)) {
        completeExceptionally(cause);
        return;
      }
      newSide.learn(stale.copy());
      learn(
          Gate.State.first()
              .withEpoch(stale.epoch())
              .withPhase(stale.phase())
              .withFloor(stale.floor())
              .withCopy(stale.copy())
              .withClockOrder(stale.isClockOrdered()));
      beginAgainUnless(
          call.isExpired() || tracker.current() == ended
              ? new KvException.Transient(
                  "collection " + name + " changed its phase meanwhile: try again", stale)
              : null);
    }

    /** Begins again after an answer was discarded, as the phase may have changed. */
    final void beginAfterLoss(PhaseTracker.View ended) {
      events.leaseLost(name);
      if (tracker.current() == ended) {
        renewed(call).whenComplete((known, late) -> beginAgainUnless(late));
      } else {
        begin();
      }
    }

    private void beginAgainUnless(@Nullable Throwable error) {
      if (error == null) {
        begin();
      } else {
        completeExceptionally(failure(error));
      }
    }
  }

  /** Ends with the next report to the leader, which returns the phase and may renew the lease. */
  private CompletionStage<Void> renewed(Call call) {
    CompletionStage<Void> reported = lease(tracker.current()).nextReport();
    renewal.run();
    return Futures.within(
        call,
        reported,
        () ->
            new KvException.Transient(
                "collection "
                    + name
                    + ": the old side's leader did not confirm the phase by the deadline: try"
                    + " again"));
  }

  @Override
  public InstanceReport.@Nullable Use report() {
    if (phase() == Phase.NEW_ONLY) {
      return null;
    }
    return newSide.describe(
        InstanceReport.Use.acknowledging(tracker.acknowledged()).withLayout(use.layout));
  }

  @Override
  public void listen(Runnable onNewEpoch, Runnable onLeaseLost) {
    renewal = onLeaseLost;
    newEpoch = onNewEpoch;
    listenTo(old);
  }

  private void listenTo(@Nullable StoreCollection opened) {
    if (opened != null && oldFloor == null) { // without a leader, reports alone show a step
      opened
          .gate()
          .listen(
              epoch -> {
                if (epoch > tracker.current().epoch()) {
                  newEpoch.run();
                }
              });
    }
  }

  @Override
  public Keeper keeper() {
    return tracker.current().isClockOrdered() ? Keeper.NEW_STORE : Keeper.LEADER;
  }

  @Override
  public CompletionStage<?> beginOnNew(Store fresh) {
    Gate.State told = handed;
    return told == null
        ? CompletableFuture.completedFuture(null)
        : MetadataGate.awaitBegun(fresh, name, told)
            .thenAccept(
                begun -> {
                  if (told.equals(handed)) {
                    handed = null;
                  }
                });
  }

  @Override
  public boolean reported(Keeper keeper, Gate.State state, Lease.Moment sent) {
    long acknowledged = tracker.acknowledged();
    newSide.learn(state.copy());
    if (keeper == Keeper.LEADER || oldFloor != null) {
      applied = state.applied();
      ramp = state.ramp();
    }
    learn(
        keeper == Keeper.NEW_STORE && oldFloor == null
            ? state.withClockOrder(MetadataGate.isEra(state))
            : state);
    if (keeper() == keeper) {
      (keeper == Keeper.LEADER ? leaderLease : clockLease).renew(sent);
    }
    return tracker.acknowledged() > acknowledged;
  }

  @Override
  public void notReported() {
    lease(tracker.current()).notRenewed();
  }

  /**
   * Takes over what a keeper says. A lease of the other keeper counts no more, and one that this
   * keeper has given before it had the gate the last time does not count again.
   */
  private void learn(Gate.State state) {
    boolean isClockOrdered = isClockOrdered(state);
    boolean isOther;
    synchronized (tracker) {
      PhaseTracker.View known = tracker.current();
      isOther = isClockOrdered != known.isClockOrdered() && state.epoch() > known.epoch();
      if (isOther) {
        (isClockOrdered ? clockLease : leaderLease).end();
        handed = isClockOrdered && state.phase() != Phase.NEW_ONLY ? state : null;
      }
      if (!tracker.learn(state.epoch(), state.phase(), state.floor(), isClockOrdered)) {
        return;
      }
    }
    LOG.info(
        "collection {} is in phase {} (epoch {}{})",
        name,
        state.phase(),
        state.epoch(),
        isClockOrdered && oldFloor == null ? ", ordered by clocks" : "");
    events.phase(name, state.phase());
    if (isOther) {
      (isClockOrdered ? leaderLease : clockLease).end();
      renewal.run();
    }
  }

  @Override
  public void prepareNewSide(Runnable onOpened) {
    if (phase() != Phase.NEW_ONLY) {
      newSide.prepare(onOpened);
      openOld();
    }
  }

  /**
   * Opens the old side if it did not answer when the collection was opened. While it does not, and
   * no request needs it, the pauses between attempts grow.
   */
  private void openOld() {
    if (old != null
        || (System.nanoTime() - nextOpeningNanos < 0 && !needsOld())
        || !isOpeningOld.compareAndSet(false, true)) {
      return;
    }
    Futures.start(() -> home.openOld(newSide.copy()))
        .whenComplete(
            (opened, error) -> {
              if (error == null) {
                old = opened;
                listenTo(opened);
              } else {
                events.sideFailed(Events.OLD, name, Futures.readFailure(error));
                nextOpeningNanos = System.nanoTime() + openingPause.toNanos();
                Duration twice = openingPause.multipliedBy(2);
                openingPause =
                    twice.compareTo(LONGEST_OPENING_PAUSE) < 0 ? twice : LONGEST_OPENING_PAUSE;
              }
              isOpeningOld.set(false);
            });
  }

  private StoreCollection requireOld() {
    StoreCollection opened = old;
    if (opened == null) {
      throw new KvException.Transient(
          "collection "
              + name
              + " needs its old store, which has not answered since this process started: try"
              + " again once it runs");
    }
    return opened;
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
