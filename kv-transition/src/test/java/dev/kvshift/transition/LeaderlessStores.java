package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Event;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SortedMap;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Two in-memory stores without a leader, with one collection that moves in clock order, and
 * services in between, whose requests end late and as a test says.
 */
final class LeaderlessStores implements AutoCloseable {
  static final String ITEMS = TwoStores.ITEMS;
  static final Duration PATIENCE = Duration.ofSeconds(30);
  static final Key KEY = Key.of(Bytes.utf8("main"), Bytes.utf8("key"));
  static final StoreKey STORE_KEY = StoreKey.of(KEY.main(), KEY.clustering());

  private static final MemoryOptions OPTIONS =
      MemoryOptions.defaults()
          .without(
              Capability.GATE,
              Capability.FENCING,
              Capability.USAGE,
              Capability.CHANGE_SOURCE,
              Capability.CHANGE_CONSUMERS,
              Capability.LOCKS,
              Capability.LOCK_GATE,
              Capability.LARGE_MAIN_KEYS);

  private final String name = UUID.randomUUID().toString();
  private final Layout newLayout;
  final Store oldStore = store("old");
  final Store newStore = store("new");
  final StoreCollection onOld;
  final TwoStores.Requests toOld = new TwoStores.Requests();
  final TwoStores.Requests toNew = new TwoStores.Requests();
  final MetadataGate gate = MetadataGate.of(newStore, ITEMS);
  final Queue<Event> events = new ConcurrentLinkedQueue<>();

  /** Set while the old store is down and cannot be opened. */
  final AtomicBoolean oldIsDown = new AtomicBoolean();

  /** Called when a service that starts without the old store has looked at the phase. */
  volatile Runnable onLooked = () -> {};

  private final List<Store> services = new ArrayList<>();
  final Copy copy;
  final StoreCollection onNew;

  LeaderlessStores() {
    this(TwoStores.LAYOUT, TwoStores.LAYOUT);
  }

  /** Prepares a migration that changes the layout. */
  LeaderlessStores(Layout oldLayout, Layout newLayout) {
    this.newLayout = newLayout;
    onOld = join(oldStore.open(ITEMS, oldLayout, Claim.ACTIVE));
    copy = join(ClockOrder.prepare(ITEMS, newLayout, oldStore, newStore));
    onNew = join(newStore.open(ITEMS, newLayout, Claim.importing(copy)));
  }

  private Store store(String side) {
    return new ShardedStore(inner(side));
  }

  /** Opens the store of a side without what keeps the shards. */
  Store inner(String side) {
    return MemoryStoreProvider.open(name + "-" + side, OPTIONS);
  }

  /** Opens the store of another service. */
  Store open(String service, String more) {
    return open(service, more, name + "-old");
  }

  Store open(String service, String more, String old) {
    Store opened =
        new TransitionProvider()
            .open(
                ConnectionString.parse(
                    "transition://"
                        + service
                        + "?old=memory%3A%2F%2Fold&new=memory%3A%2F%2Fnew"
                        + more),
                new StoreProvider.Context() {
                  @Override
                  public Store open(ConnectionString nested) {
                    boolean isOld = nested.hosts().get(0).name().equals("old");
                    if (isOld && oldIsDown.get()) {
                      throw new KvException.Transient("the old store is down");
                    }
                    return new ShardedStore(
                        new TwoStores.Side(
                            MemoryStoreProvider.open(isOld ? old : name + "-new", OPTIONS),
                            isOld ? toOld : toNew,
                            VersionClock.ofProcess()) {
                          @Override
                          public Metadata metadata() {
                            return watched(super.metadata());
                          }
                        });
                  }

                  @Override
                  public KvObserver observer() {
                    return new RecordedEvents(events);
                  }

                  @Override
                  public VersionClock clock() {
                    return VersionClock.ofProcess();
                  }
                });
    services.add(opened);
    return opened;
  }

  /** Records whose requests end on another thread, a moment later. */
  private Metadata watched(Metadata metadata) {
    return new Metadata() {
      @Override
      public CompletionStage<@Nullable Bytes> get(String record) {
        if (record.startsWith("old-floor/")) {
          onLooked.run();
        }
        return late(() -> metadata.get(record));
      }

      @Override
      public CompletionStage<SortedMap<String, Bytes>> list(
          String prefix, String after, int limit) {
        return late(() -> metadata.list(prefix, after, limit));
      }

      @Override
      public CompletionStage<Boolean> compareAndSet(
          String record, @Nullable Bytes expected, @Nullable Bytes next) {
        return late(() -> metadata.compareAndSet(record, expected, next));
      }
    };
  }

  private static <T extends @Nullable Object> CompletionStage<T> late(
      Supplier<CompletionStage<T>> request) {
    return Futures.after(Duration.ofMillis(1)).thenCompose(later -> request.get());
  }

  /** Opens the collection of another service. */
  KvCollection connect(String service) {
    return connect(service, newLayout);
  }

  /** Opens the collection of another service, whose model has a layout. */
  KvCollection connect(String service, Layout layout) {
    return KvStore.over(open(service, "")).collection(ITEMS, layout);
  }

  /** Opens the collection of a service that knows nothing of the migration. */
  KvCollection connectPlainly(String side, Layout layout) {
    Store opened = store(side);
    services.add(opened);
    return KvStore.over(opened).collection(ITEMS, layout);
  }

  MergePass pass() {
    return MergePass.of(onOld, onNew);
  }

  /** Takes the collection to a phase, waiting for the services. */
  void moveTo(Phase phase) {
    Coordinator coordinator = Coordinator.inClockOrder(ITEMS, gate, merged -> pass().run());
    if (phase != Phase.NEW_ONLY) {
      coordinator.moveTo(phase, PATIENCE);
      return;
    }
    State last = coordinator.moveTo(Phase.NEW_PRIMARY, PATIENCE);
    State sealed = join(gate.seal(last.epoch()));
    join(newStore.activate(ITEMS, copy, sealed.floor()));
  }

  /** Takes the step to a neighbouring phase, waiting for nobody, as after lost leases. */
  void stepPastEverybody(Phase phase) {
    Await.until(
        "the step into " + phase,
        () -> {
          State now = join(gate.state());
          long epoch = now.epoch() + 1;
          try {
            return join(
                gate.compareAndSet(
                    now, now.withEpoch(epoch).withPhase(phase).withAcceptMin(epoch)));
          } catch (KvException.Transient notReady) {
            return false;
          }
        });
  }

  @Nullable Row read(StoreCollection side) {
    return Await.<@Nullable Row>join(side.get(STORE_KEY, call()));
  }

  /** Writes to one side alone, at a version. */
  void write(StoreCollection side, Mutation mutation, long version) {
    join(side.write(STORE_KEY, mutation.withVersion(version), call()));
  }

  static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }

  @Override
  public void close() {
    services.forEach(Store::close);
    oldStore.close();
    newStore.close();
  }
}
