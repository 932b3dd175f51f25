package dev.kvshift.transition;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
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
                    .thenApply(
                        state ->
                            collection(
                                name,
                                layout,
                                old,
                                new PhaseTracker(state.epoch(), state.phase(), state.floor()))));
  }

  /** New-only is absorbing: where the new store's record says active, the old one is not needed. */
  private CompletionStage<TransitionCollection> openOnNewAlone(
      String name, Layout layout, Throwable oldError) {
    return newSide
        .store()
        .thenCompose(store -> CollectionRecord.read(store.metadata(), name))
        .handle(
            (found, error) -> {
              if (found == null || found.state() != CollectionRecord.State.ACTIVE) {
                throw TransitionCollection.failure(oldError);
              }
              return collection(
                  name,
                  layout,
                  null,
                  new PhaseTracker(Long.MAX_VALUE, Phase.NEW_ONLY, found.floor()));
            });
  }

  private TransitionCollection collection(
      String name, Layout layout, @Nullable StoreCollection old, PhaseTracker tracker) {
    return new TransitionCollection(
        name,
        layout,
        UNTIL_OPENED,
        old,
        () ->
            newSide
                .store()
                .thenCompose(store -> store.open(name, layout, Claim.NONE))
                .thenCompose(opened -> skew.measure().thenApply(measured -> opened)),
        tracker,
        clock,
        skew);
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
