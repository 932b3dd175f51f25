package dev.kvshift.transition;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One store made of an old and a new one. Each collection follows its own phase. */
final class TransitionStore implements Store {
  private static final Duration HEARTBEAT = Duration.ofSeconds(1);

  /** How long opening a collection waits for the new store's word that it has moved. */
  private static final Duration LOOK_AT_NEW_SIDE = Duration.ofSeconds(2);

  /** What holds before a side has been opened; each driver checks its own limits as well. */
  private static final Limits UNTIL_OPENED =
      Limits.defaults()
          .withMaxMainBytes(65_000)
          .withMaxClusteringBytes(65_000)
          .withMaxValueBytes(16 << 20)
          .withMaxInFlight(1_024)
          .withTimeout(Duration.ofSeconds(10));

  private static final Set<Capability> CAPABILITIES =
      Set.copyOf(EnumSet.of(Capability.EXPIRY, Capability.RANGES, Capability.LARGE_MAIN_KEYS));

  private final String description;
  private final Side oldSide;
  private final Side newSide;
  private final VersionClock clock;
  private final Skew skew;
  private final String instance;
  private final Queue<TransitionCollection> collections = new ConcurrentLinkedQueue<>();
  private final ScheduledExecutorService heartbeat;

  TransitionStore(String description, Side oldSide, Side newSide, VersionClock clock) {
    this.description = description;
    this.oldSide = oldSide;
    this.newSide = newSide;
    this.clock = clock;
    this.skew = new Skew(newSide, clock);
    this.instance = UUID.randomUUID().toString();
    this.heartbeat =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "kvshift-heartbeat");
              thread.setDaemon(true);
              return thread;
            });
    heartbeat.scheduleAtFixedRate(
        () -> collections.forEach(collection -> collection.register(instance)),
        HEARTBEAT.toMillis(),
        HEARTBEAT.toMillis(),
        TimeUnit.MILLISECONDS);
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
    if (claim.kind() == Claim.Kind.IMPORTING) {
      return CompletableFuture.failedFuture(
          new KvException.Permanent(
              "a migration cannot import into transition://: give it the new store itself"));
    }
    return openOnOld(name, layout)
        .handle(
            (opened, error) ->
                error == null
                    ? CompletableFuture.completedFuture(opened)
                    : openOnNewAlone(name, layout, error))
        .thenCompose(stage -> stage)
        .thenApply(
            collection -> {
              collections.add(collection);
              return collection;
            });
  }

  private CompletionStage<TransitionCollection> openOnOld(String name, Layout layout) {
    return oldSide
        .store()
        .thenCompose(store -> store.open(name, layout, Claim.ACTIVE))
        .thenCompose(
            old ->
                old.gate()
                    .register(instance, 0)
                    .thenCompose(
                        state ->
                            state.phase() == Phase.NEW_ONLY
                                ? CompletableFuture.completedFuture(
                                    collection(name, layout, old, state))
                                : handedOver(name, old)
                                    .thenApply(
                                        record ->
                                            record == null
                                                ? collection(name, layout, old, state)
                                                : movedCollection(name, layout, record))));
  }

  /**
   * Returns the new store's record if it was handed over to from this very source. Then the leader
   * is back from an older state and must not be believed: new-only is absorbing. A record of
   * another source, or of none, says nothing. Without an answer in time the leader is followed,
   * since an outage of the new store must not hurt services that the old one serves.
   */
  private CompletionStage<@Nullable CollectionRecord> handedOver(String name, StoreCollection old) {
    if (!oldSide.has(Capability.CHANGE_SOURCE)) {
      return CompletableFuture.completedFuture(null);
    }
    return newRecord(name)
        .toCompletableFuture()
        .completeOnTimeout(null, LOOK_AT_NEW_SIDE.toMillis(), TimeUnit.MILLISECONDS)
        .exceptionally(unreachable -> null)
        .thenCompose(
            record -> {
              if (record == null || !record.isHandedOver()) {
                return CompletableFuture.<@Nullable CollectionRecord>completedFuture(null);
              }
              Copy copy = record.copy();
              return old.changes()
                  .logId(0)
                  .thenApply(
                      origin -> copy != null && copy.source().equals(origin) ? record : null);
            });
  }

  private CompletionStage<@Nullable CollectionRecord> newRecord(String name) {
    return newSide.store().thenCompose(store -> CollectionRecord.read(store.metadata(), name));
  }

  /**
   * New-only is absorbing: if the new store's record says that a migration has handed over, the old
   * store is not needed. {@code active} with floor 0 says only that there was no migration.
   */
  private CompletionStage<TransitionCollection> openOnNewAlone(
      String name, Layout layout, Throwable oldError) {
    return newRecord(name)
        .handle(
            (found, error) -> {
              if (found == null || !found.isHandedOver()) {
                throw TransitionCollection.failure(oldError);
              }
              return movedCollection(name, layout, found);
            });
  }

  private TransitionCollection movedCollection(
      String name, Layout layout, CollectionRecord record) {
    return collection(
        name,
        layout,
        null,
        Gate.State.first()
            .withEpoch(Long.MAX_VALUE)
            .withPhase(Phase.NEW_ONLY)
            .withFloor(record.floor())
            .withCopy(record.copy()));
  }

  private TransitionCollection collection(
      String name, Layout layout, @Nullable StoreCollection old, Gate.State state) {
    return new TransitionCollection(
        name,
        layout,
        UNTIL_OPENED,
        old,
        (copy, floor) -> openOnNew(name, layout, copy, floor),
        state.copy(),
        new PhaseTracker(state.epoch(), state.phase(), state.floor()),
        clock,
        skew);
  }

  /** Opens the new side of a collection, which must hold the copy that the gate names. */
  private CompletionStage<StoreCollection> openOnNew(
      String name, Layout layout, @Nullable Copy copy, long floor) {
    return newSide
        .store()
        .thenCompose(store -> store.open(name, layout, Claim.NONE))
        .thenCombine(
            newRecord(name),
            (opened, record) -> {
              requireCopy(name, record, copy, floor);
              return opened;
            })
        .thenCompose(opened -> skew.measure().thenApply(measured -> opened));
  }

  private static void requireCopy(
      String name, @Nullable CollectionRecord record, @Nullable Copy copy, long floor) {
    boolean isSame =
        record != null
            && copy != null
            && copy.equals(record.copy())
            && (record.state() == CollectionRecord.State.IMPORTING
                || floor == 0
                || record.floor() == floor);
    if (!isSame) {
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
  public CompletionStage<CollectionRecord> restart(String name, Copy copy, Copy next) {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(Capability.METADATA, description));
  }

  @Override
  public CompletionStage<Instant> serverTime() {
    Store opened = oldSide.openedOrNull();
    return opened != null ? opened.serverTime() : newSide.store().thenCompose(Store::serverTime);
  }

  @Override
  public Metadata metadata() {
    throw new KvException.UnsupportedCapability(Capability.METADATA, description);
  }

  @Override
  public StoreLocks locks(String space) {
    throw new KvException.UnsupportedCapability(Capability.LOCKS, description);
  }

  @Override
  public void close() {
    heartbeat.shutdownNow();
    oldSide.close();
    newSide.close();
  }
}
