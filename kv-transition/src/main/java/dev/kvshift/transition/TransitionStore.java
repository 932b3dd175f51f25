package dev.kvshift.transition;

import dev.kvshift.api.Capability;
import dev.kvshift.api.Cohort;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.transition.Reported.Keeper;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One store made of an old and a new one. Each collection and each lock space follows its own
 * phase.
 */
final class TransitionStore implements Store {
  /**
   * The time for which opening a collection waits to learn from the new store that it has moved.
   */
  private static final Duration LOOK_AT_NEW_SIDE = Duration.ofSeconds(2);

  /** The limits before a side has been opened; each driver also checks its own. */
  private static final Limits UNTIL_OPENED =
      Limits.defaults()
          .withMaxMainBytes(65_000)
          .withMaxClusteringBytes(65_000)
          .withMaxValueBytes(16 << 20)
          .withMaxInFlight(1_024)
          .withTimeout(Duration.ofSeconds(10));

  /** The records of one listing when a health check looks for a collection that was handed over. */
  private static final int LISTED = 1_000;

  private static final Set<Capability> CAPABILITIES =
      Set.copyOf(
          EnumSet.of(
              Capability.EXPIRY, Capability.RANGES, Capability.LARGE_MAIN_KEYS, Capability.LOCKS));

  /** Maximum number of lock spaces: a process reports them together with its collections. */
  private static final int MAX_SPACES = InstanceReport.MAX_USES / 2;

  /**
   * The service that opens the store.
   *
   * @param name the service's name, under which the leader lists its instances
   * @param prefersNew whether its reads go to the new side before the switch
   * @param cohort the main keys that are read from the new side first in new-read
   */
  record Service(String name, boolean prefersNew, Cohort cohort) {}

  private final String description;
  private final Service service;
  private final Side oldSide;
  private final Side newSide;
  private final VersionClock clock;
  private final StoreClock newClock;
  private final Events events;
  private final Reporter reporter;
  private volatile boolean closed;
  private final Map<String, CompletableFuture<TransitionCollection>> collections =
      new ConcurrentHashMap<>();
  private final Map<String, TransitionLocks> spaces = new ConcurrentHashMap<>();

  TransitionStore(Service service, Side oldSide, Side newSide, VersionClock clock, Events events) {
    this.description = events.store();
    this.events = events;
    this.oldSide = oldSide;
    this.newSide = newSide;
    this.clock = clock;
    this.newClock =
        new StoreClock(
            clock, () -> newSide.store().thenApply(Store::serverTimes), events::measured);
    this.service = service;
    this.reporter = new Reporter(oldSide, newSide, service.name());
  }

  @Override
  public Set<Capability> capabilities() {
    return CAPABILITIES;
  }

  @Override
  public Limits limits() {
    Store opened = oldSide.openedOrNull();
    return opened == null ? UNTIL_OPENED : opened.limits();
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
    try {
      CollectionRecord.requireName(name);
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
    if (closed) {
      return CompletableFuture.failedFuture(
          new KvException.Permanent(description + " is closed: open it again"));
    }
    if (claim.kind() == Claim.Kind.IMPORTING) {
      return CompletableFuture.failedFuture(
          new KvException.Permanent(
              "a migration cannot import into transition://: give it the new store itself"));
    }
    Claim.Kind kind = claim.kind();
    if (service.prefersNew && kind != Claim.Kind.READ) {
      return CompletableFuture.failedFuture(
          new KvException.Permanent(
              "a service that writes cannot prefer the new side: add access=read, or remove prefer"));
    }
    TransitionCollection.Use use =
        new TransitionCollection.Use(
            name, layout, kind == Claim.Kind.READ ? Claim.READ : Claim.ACTIVE, service);
    CompletableFuture<TransitionCollection> opened =
        collections.compute(
            name,
            (key, known) ->
                known == null || known.isCompletedExceptionally()
                    ? open(use).toCompletableFuture()
                    : known);
    return opened.thenApply(collection -> requireSame(collection, use));
  }

  /** One collection of a name serves the whole process: its epochs are acknowledged as one. */
  private static StoreCollection requireSame(
      TransitionCollection collection, TransitionCollection.Use use) {
    if (!collection.use().claim().equals(use.claim())) {
      throw new KvException.Permanent(
          "collection "
              + use.name()
              + " is open in this process as "
              + collection.use().claim()
              + ", not "
              + use.claim()
              + ": open another store for the other use");
    }
    if (!collection.layout().equals(use.layout())) {
      throw new KvException.Permanent(
          "collection "
              + collection.name()
              + " is open in this process with the layout "
              + collection.layout()
              + ", not "
              + use.layout()
              + ": open it with one layout");
    }
    return collection;
  }

  private CompletionStage<TransitionCollection> open(TransitionCollection.Use use) {
    return openOnOld(use)
        .handle(
            (opened, error) ->
                error == null ? CompletableFuture.completedFuture(opened) : withoutOld(use, error))
        .thenCompose(stage -> stage)
        .thenApply(
            collection -> {
              reporter.add(collection);
              return collection;
            });
  }

  private CompletionStage<TransitionCollection> withoutOld(
      TransitionCollection.Use use, Throwable oldError) {
    reporter.forget(use.name());
    return openOnNewAlone(use, oldError)
        .whenComplete(
            (opened, error) -> {
              if (error != null) {
                reporter.forget(use.name()); // no step may wait for a collection that is not open
              }
            });
  }

  private CompletionStage<TransitionCollection> openOnOld(TransitionCollection.Use use) {
    return oldSide
        .store()
        .thenCompose(
            store ->
                requireSides(store, use)
                    .thenCompose(
                        fits -> openOld(store, use).thenCompose(old -> register(store, old, use))));
  }

  /** Opens the old side; without a leader there, its layout may have another shard rule. */
  private static CompletionStage<StoreCollection> openOld(
      Store store, TransitionCollection.Use use) {
    return ClockOrder.isNeededBy(store.capabilities())
        ? ClockOrder.openOld(store, use.name(), use.layout(), use.claim())
        : store.open(use.name(), use.layout(), use.claim());
  }

  /** Checks both sides if the old one has no leader, so that the new one holds the gate. */
  private CompletionStage<?> requireSides(Store old, TransitionCollection.Use use) {
    if (!ClockOrder.isNeededBy(old.capabilities())) {
      return CompletableFuture.completedFuture(null);
    }
    requireWriter(use);
    return newSide.store().thenAccept(fresh -> ClockOrder.requireSides(old, fresh, use.name()));
  }

  private void requireWriter(TransitionCollection.Use use) {
    if (use.isReadOnly()) {
      throw new KvException.Permanent(
          description
              + ": a service may not only read while the old side has no leader, since readers write"
              + " what one side lacks: remove access=read");
    }
  }

  /** Registers before the phase is read, so that a step waits for this instance or its lease. */
  private CompletionStage<TransitionCollection> register(
      Store store, StoreCollection old, TransitionCollection.Use use) {
    Lease.Moment sent = Lease.Moment.now();
    boolean isLed = !ClockOrder.isNeededBy(store.capabilities());
    return reporter
        .register(isLed ? Keeper.LEADER : Keeper.NEW_STORE, use.name(), firstReport(use))
        .thenCompose(
            state -> {
              if (state.phase() == Phase.NEW_ONLY) {
                StoreCollection leader = isLed ? old : null;
                return CompletableFuture.completedFuture(
                    collection(use, leader, state, sent, null));
              }
              if (state.isClockOrdered()) {
                return newSide
                    .store()
                    .thenCompose(fresh -> MetadataGate.awaitBegun(fresh, use.name(), state))
                    .thenCompose(begun -> registerOnNew(use, old, state.copy()));
              }
              return movedAway(use.name(), old, state)
                  .thenCompose(
                      moved ->
                          moved.isEra
                              ? registerOnNew(use, old, moved.copy())
                              : oldFloor(store, use.name())
                                  .thenApply(
                                      oldFloor ->
                                          moved.record == null
                                              ? collection(use, old, state, sent, oldFloor)
                                              : movedCollection(use, moved.record)));
            });
  }

  private static InstanceReport.Use firstReport(TransitionCollection.Use use) {
    return InstanceReport.Use.acknowledging(0).withLayout(use.layout());
  }

  /**
   * Registers with the gate in the new store, as the leader has handed the collection to the
   * clocks.
   *
   * @param old the old side's collection; null if it does not answer
   * @param copy the copy with which it was handed over: another store may have a gate of that name
   */
  private CompletionStage<TransitionCollection> registerOnNew(
      TransitionCollection.Use use, @Nullable StoreCollection old, @Nullable Copy copy) {
    Lease.Moment sent = Lease.Moment.now();
    return reporter
        .register(Keeper.NEW_STORE, use.name(), firstReport(use))
        .thenApply(
            state -> {
              if (!MetadataGate.isEra(state)) {
                throw new KvException.Transient(
                    "collection " + use.name() + " has just gone back to its old store: try again");
              }
              if (!Objects.equals(copy, state.copy())) {
                throw new KvException.Permanent(
                    "collection "
                        + use.name()
                        + " was handed to the clocks with copy "
                        + copy
                        + ", and its gate on the new side names copy "
                        + state.copy()
                        + ": nothing was sent there; check the new= string, or try again if it has"
                        + " just gone back and moved again");
              }
              return collection(use, old, state.withClockOrder(true), sent, null);
            });
  }

  /**
   * Returns the version above which versions are drawn by clocks while the old side has no leader:
   * the floor of the migration that has filled it. Null if a leader draws them.
   */
  private static CompletionStage<@Nullable Long> oldFloor(Store old, String name) {
    return ClockOrder.isNeededBy(old.capabilities())
        ? CollectionRecord.read(old.metadata(), name)
            .thenApply(record -> record == null ? 0 : record.floor())
        : CompletableFuture.completedFuture(null);
  }

  /**
   * What the new store says of a collection that the leader claims to lead.
   *
   * @param record its record, which names the source that has handed it over; null if it was not
   * @param isEra whether it was handed to the clocks, and has not gone back; else for ever
   */
  private record Moved(@Nullable CollectionRecord record, boolean isEra) {
    static final Moved NOT = new Moved(null, false);

    @Nullable Copy copy() {
      return record == null ? null : record.copy();
    }
  }

  /**
   * Returns whether the new store says that this very source has handed the collection over to it,
   * for ever or to the clocks. In that case the leader has returned from an older state and must
   * not be believed. A record of another source, or of none, proves nothing. Without an answer in
   * time the leader is followed, since an outage of the new store must not hurt services that the
   * old one serves.
   */
  private CompletionStage<Moved> movedAway(String name, StoreCollection old, Gate.State leader) {
    if (!oldSide.has(Capability.CHANGE_SOURCE)) {
      return CompletableFuture.completedFuture(Moved.NOT);
    }
    return moved(name, leader)
        .toCompletableFuture()
        .completeOnTimeout(Moved.NOT, LOOK_AT_NEW_SIDE.toMillis(), TimeUnit.MILLISECONDS)
        .exceptionally(unreachable -> Moved.NOT)
        .thenCompose(
            moved -> {
              Copy copy = moved.copy();
              return copy == null
                  ? CompletableFuture.completedFuture(Moved.NOT)
                  : old.changes()
                      .logId(0)
                      .thenApply(origin -> copy.source().equals(origin) ? moved : Moved.NOT);
            });
  }

  /**
   * Looks at the gate in the new store only if the collection may have been handed to the clocks.
   */
  private CompletionStage<Moved> moved(String name, Gate.State leader) {
    return newRecord(name)
        .thenCompose(
            record -> {
              if (record == null) {
                return CompletableFuture.completedFuture(Moved.NOT);
              }
              if (record.isHandedOver()) {
                return CompletableFuture.completedFuture(new Moved(record, false));
              }
              return newGate(name)
                  .thenApply(
                      gate ->
                          MetadataGate.isEra(gate)
                                  && gate.epoch() > leader.epoch()
                                  && Objects.equals(gate.copy(), record.copy())
                              ? new Moved(record, true)
                              : Moved.NOT);
            });
  }

  private CompletionStage<Gate.State> newGate(String name) {
    return newSide
        .store()
        .thenCompose(store -> MetadataGate.read(store.metadata(), name))
        .thenApply(kept -> kept.record().state());
  }

  private CompletionStage<@Nullable CollectionRecord> newRecord(String name) {
    return newSide.store().thenCompose(store -> CollectionRecord.read(store.metadata(), name));
  }

  /**
   * New-only is absorbing: if the new store's record says that a migration has handed over, the old
   * store is not needed. {@code active} with floor 0 says only that there was no migration. While
   * the old store only follows, the collection opens without it, too, with or without a leader.
   */
  private CompletionStage<TransitionCollection> openOnNewAlone(
      TransitionCollection.Use use, Throwable oldError) {
    KvException oldFailure = Futures.readFailure(oldError);
    return moved(use.name(), Gate.State.first())
        .handle(
            (moved, unreachable) -> {
              if (moved != null && moved.record != null && !moved.isEra) {
                return CompletableFuture.completedFuture(movedCollection(use, moved.record));
              }
              boolean isSilent = oldFailure instanceof KvException.Transient;
              if (unreachable != null || !isSilent) {
                return CompletableFuture.<TransitionCollection>failedFuture(oldFailure);
              }
              return moved.isEra
                  ? registerOnNew(use, null, moved.copy())
                  : openFollowed(use, oldFailure);
            })
        .thenCompose(stage -> stage);
  }

  /**
   * Opens a collection that leaves a store without a leader while that store is down: from
   * new-primary on, where the new one answers and acknowledges alone. The old one is opened once it
   * answers.
   *
   * @param oldFailure why it could not be opened, which is the failure in every phase that needs it
   */
  private CompletionStage<TransitionCollection> openFollowed(
      TransitionCollection.Use use, KvException oldFailure) {
    return newSide
        .store()
        .thenCompose(
            fresh ->
                newGate(use.name())
                    .thenCompose(
                        gate -> {
                          Copy copy = gate.copy();
                          if (copy == null || !ClockOrder.fills(copy) || !isServedAlone(gate)) {
                            throw oldFailure;
                          }
                          requireWriter(use);
                          ClockOrder.requireSide(fresh, use.name());
                          return ClockOrder.keptFloor(fresh, use.name(), copy)
                              .thenCompose(
                                  floor -> {
                                    if (floor == null && gate.phase() != Phase.NEW_ONLY) {
                                      throw oldFailure; // an older runner has not kept it
                                    }
                                    return registerFollowed(use, copy, floor, oldFailure);
                                  });
                        }));
  }

  private static boolean isServedAlone(Gate.State state) {
    return state.phase().compareTo(Phase.NEW_PRIMARY) >= 0;
  }

  /**
   * Registers with the gate, and looks at the phase again: a step back waits for this instance from
   * then on.
   */
  private CompletionStage<TransitionCollection> registerFollowed(
      TransitionCollection.Use use, Copy copy, @Nullable Long oldFloor, KvException oldFailure) {
    Lease.Moment sent = Lease.Moment.now();
    return reporter
        .register(Keeper.NEW_STORE, use.name(), firstReport(use))
        .thenApply(
            state -> {
              if (!copy.equals(state.copy()) || !isServedAlone(state)) {
                throw oldFailure;
              }
              boolean isMoved = state.phase() == Phase.NEW_ONLY;
              return collection(use, null, state, sent, isMoved ? null : oldFloor);
            });
  }

  private TransitionCollection movedCollection(
      TransitionCollection.Use use, CollectionRecord record) {
    return collection(
        use,
        null,
        Gate.State.first()
            .withEpoch(Long.MAX_VALUE)
            .withPhase(Phase.NEW_ONLY)
            .withFloor(record.floor())
            .withCopy(record.copy()),
        Lease.Moment.now(),
        null);
  }

  private TransitionCollection collection(
      TransitionCollection.Use use,
      @Nullable StoreCollection old,
      Gate.State state,
      Lease.Moment registered,
      @Nullable Long oldFloor) {
    events.phase(use.name(), state.phase());
    CollectionHome home = new CollectionHome(use);
    NewSide side = new NewSide(use.name(), home, newClock, events, state.copy());
    return new TransitionCollection(
        use, UNTIL_OPENED, old, side, state, registered, clock, home, events, oldFloor);
  }

  /** This store, as one collection uses it. */
  private final class CollectionHome implements NewSide.Opener, TransitionCollection.Home {
    private final TransitionCollection.Use use;

    CollectionHome(TransitionCollection.Use use) {
      this.use = use;
    }

    @Override
    public CompletionStage<CopyView.Opened> open(
        @Nullable Copy copy, long floor, @Nullable StoreCollection known) {
      return openOnNew(use, copy, floor, known);
    }

    @Override
    public boolean keepsDeletes() {
      return newSide.has(Capability.TOMBSTONE_READS);
    }

    @Override
    public StoreLocks locks(String space) {
      return TransitionStore.this.locks(space);
    }

    @Override
    public CompletionStage<StoreCollection> openOld(@Nullable Copy copy) {
      return oldSide
          .store()
          .thenCompose(
              store ->
                  requireFollower(store, use, copy)
                      .thenCompose(fits -> TransitionStore.openOld(store, use)));
    }

    @Override
    public CompletionStage<@Nullable BackFilledKeys> backFilled(Copy copy) {
      return newSide.store().thenCompose(store -> BackFilledKeys.find(store, copy));
    }
  }

  /** Opens the new side of a collection, which must hold the copy that the gate names. */
  private CompletionStage<CopyView.Opened> openOnNew(
      TransitionCollection.Use use,
      @Nullable Copy copy,
      long floor,
      @Nullable StoreCollection known) {
    CompletionStage<StoreCollection> opening =
        known != null
            ? CompletableFuture.completedFuture(known)
            : newSide
                .store()
                .thenCompose(store -> store.open(use.name(), use.layout(), Claim.NONE));
    return opening
        .thenCombine(
            filledRecord(use.name(), copy, floor),
            (opened, record) -> new CopyView.Opened(opened, record.isReadable()))
        .thenCompose(opened -> requireOld(use.name(), copy, floor).thenApply(same -> opened))
        .thenCompose(
            opened ->
                newClock.isRight()
                    ? CompletableFuture.completedFuture(opened)
                    : newClock.measure().thenApply(measured -> opened));
  }

  /** Checks an old store that is opened late, as one that answers at once is checked before. */
  private CompletionStage<?> requireFollower(
      Store old, TransitionCollection.Use use, @Nullable Copy copy) {
    return copy == null || !ClockOrder.fills(copy)
        ? CompletableFuture.completedFuture(null)
        : requireSides(old, use).thenCompose(fits -> ClockOrder.requireOld(old, use.name(), copy));
  }

  /** Without a leader, no gate on the old side shows that it is the one that moves. */
  private CompletionStage<?> requireOld(String name, @Nullable Copy copy, long floor) {
    Store old = oldSide.openedOrNull();
    return copy == null || floor > 0 || old == null || !ClockOrder.isNeededBy(old.capabilities())
        ? CompletableFuture.completedFuture(null)
        : ClockOrder.requireOld(old, name, copy);
  }

  /**
   * Returns the new side's record if it holds a copy. The whole fleet looks at it at the hand-over,
   * while the runner changes it, so only a record that does not fit is read again in order.
   */
  private CompletionStage<CollectionRecord> filledRecord(
      String name, @Nullable Copy copy, long floor) {
    return newSide
        .store()
        .thenCompose(store -> CollectionRecord.read(store.metadata().committed(), name))
        .thenCompose(
            record ->
                isFilled(record, copy, floor)
                    ? CompletableFuture.completedFuture(record)
                    : newRecord(name))
        .thenApply(
            record -> {
              if (record == null || !isFilled(record, copy, floor)) {
                throw new KvException.Permanent(
                    "the new side of collection "
                        + name
                        + " is not the one that its migration has filled: the old store names copy "
                        + copy
                        + " with floor "
                        + floor
                        + ", the new one holds "
                        + record
                        + "; nothing was sent there: check the new= string");
              }
              return record;
            });
  }

  private static boolean isFilled(
      @Nullable CollectionRecord record, @Nullable Copy copy, long floor) {
    return record != null
        && copy != null
        && copy.equals(record.copy())
        && (record.state() == CollectionRecord.State.IMPORTING
            || floor == 0
            || record.floor() == floor);
  }

  @Override
  public CompletionStage<Void> drop(String name, long incarnation) {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(Capability.DROP, description));
  }

  @Override
  public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(Capability.METADATA, description));
  }

  @Override
  public CompletionStage<CollectionRecord> restart(
      String name, Layout layout, Copy copy, Copy next) {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(Capability.METADATA, description));
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> report(InstanceReport report) {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(Capability.GATE, description));
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> moveAll(Map<String, String> attempts) {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(Capability.FENCING, description));
  }

  /**
   * Reads the clock of each side that the open collections need in their phases, once they are
   * opened there, and returns the old side's if both are needed. Before a collection is open, the
   * old side is needed, or the new one if a migration has handed a collection over to it.
   */
  @Override
  public CompletionStage<Instant> serverTime() {
    List<TransitionCollection> open = new ArrayList<>();
    for (CompletableFuture<TransitionCollection> opened : collections.values()) {
      if (opened.isDone() && !opened.isCompletedExceptionally()) {
        open.add(opened.join());
      }
    }
    if (open.isEmpty()) {
      return timeOfEither();
    }
    boolean needsOld = open.stream().anyMatch(TransitionCollection::needsOld);
    if (open.stream().noneMatch(TransitionCollection::needsNew)) {
      return oldSide.store().thenCompose(Store::serverTime);
    }
    CompletionStage<Instant> newTime = newSide.store().thenCompose(Store::serverTime);
    Call call = Call.within(limits().timeout());
    for (TransitionCollection each : open) {
      newTime = newTime.thenCombine(each.warmUp(call), (time, warm) -> time);
    }
    return needsOld
        ? oldSide.store().thenCompose(Store::serverTime).thenCombine(newTime, (old, fresh) -> old)
        : newTime;
  }

  /** Returns the time of the side that answers first; fails as the old side does if none does. */
  private CompletionStage<Instant> timeOfEither() {
    CompletableFuture<Instant> result = new CompletableFuture<>();
    CompletableFuture<@Nullable Instant> ofNew =
        newSide
            .store()
            .thenCompose(
                store ->
                    holdsHandedOver(store, "")
                        .thenCompose(
                            handedOver ->
                                handedOver
                                    ? store.serverTime()
                                    : CompletableFuture.<@Nullable Instant>completedFuture(null)))
            .<@Nullable Instant>handle((time, unreachable) -> time)
            .toCompletableFuture();
    ofNew.thenAccept(
        time -> {
          if (time != null) {
            result.complete(time);
          }
        });
    oldSide
        .store()
        .thenCompose(Store::serverTime)
        .whenComplete(
            (time, error) -> {
              if (error == null) {
                result.complete(time);
              } else {
                KvException cause = Futures.readFailure(error);
                ofNew.thenRun(() -> result.completeExceptionally(cause));
              }
            });
    return result;
  }

  private static CompletionStage<Boolean> holdsHandedOver(Store store, String after) {
    return store
        .metadata()
        .list(CollectionRecord.metadataName(""), after, LISTED)
        .thenCompose(
            records -> {
              boolean found =
                  records.entrySet().stream()
                      .anyMatch(
                          each ->
                              CollectionRecord.parse(each.getKey(), each.getValue())
                                  .isHandedOver());
              return found || records.size() < LISTED
                  ? CompletableFuture.completedFuture(found)
                  : holdsHandedOver(store, records.lastKey());
            });
  }

  @Override
  public Metadata metadata() {
    throw new KvException.UnsupportedCapability(Capability.METADATA, description);
  }

  @Override
  public StoreLocks locks(String space) {
    if (spaces.size() >= MAX_SPACES && !spaces.containsKey(space)) {
      throw new KvException.Permanent(
          description
              + " uses "
              + MAX_SPACES
              + " lock spaces, the limit: use one of them; the keys of a space are locked one by"
              + " one");
    }
    return spaces.computeIfAbsent(
        space, added -> new TransitionLocks(added, oldSide, newSide, newClock, reporter, events));
  }

  @Override
  public void close() {
    closed = true;
    reporter.close();
    oldSide.close();
    newSide.close();
  }
}
