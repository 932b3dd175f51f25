package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;

import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Cohort;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Event;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.fixture.TestCopy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Two in-memory stores with one collection that is being moved, and services in between. The
 * services' requests end late, on another thread, and as a test says.
 */
final class TwoStores implements AutoCloseable {
  static final Layout LAYOUT = Layout.range(ShardRule.none());
  static final String ITEMS = "items";
  static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final int BATCH_BYTES = 1 << 20;

  private final String name = UUID.randomUUID().toString();
  final Store oldStore = MemoryStoreProvider.open(name + "-old");
  final Store newStore = MemoryStoreProvider.open(name + "-new");
  final StoreCollection onOld = join(oldStore.open(ITEMS, LAYOUT, Claim.ACTIVE));
  final StoreCollection onNew;
  final Copy copy;
  final Requests toOld = new Requests();
  final Requests toNew = new Requests();
  final Queue<Event> events = new ConcurrentLinkedQueue<>();
  private final Coordinator coordinator = Coordinator.of(ITEMS, onOld.gate());
  private long streamed;

  /** The version clock of the services that are opened from now on. */
  volatile VersionClock clock = VersionClock.ofProcess();

  /** The cohort of the services. */
  volatile Cohort cohort = Cohort.NONE;

  /** The services' requests to one side. */
  static final class Requests {
    private static final Duration LATE = Duration.ofMillis(1);

    final AtomicInteger reads = new AtomicInteger();
    final AtomicInteger writes = new AtomicInteger();

    /** The reports that have ended. */
    final AtomicInteger reports = new AtomicInteger();

    /** The error of every data request from now on; null for none. */
    volatile @Nullable KvException failure;

    /** Refuses writes in {@code check}, as a store does that can never hold them. */
    volatile boolean refusesWrites;

    /** The gates that reads and reports wait for before they are sent. */
    volatile CompletableFuture<?> readsHeld = done();

    /** The gate that the answers of reads wait for. */
    volatile CompletableFuture<?> answersHeld = done();

    volatile CompletableFuture<?> writesHeld = done();
    volatile CompletableFuture<?> reportsHeld = done();

    private static CompletableFuture<?> done() {
      return CompletableFuture.completedFuture(null);
    }

    void forget() {
      reads.set(0);
      writes.set(0);
    }

    private <T> CompletionStage<T> send(
        AtomicInteger counter,
        CompletionStage<?> held,
        Call call,
        Supplier<CompletionStage<T>> request) {
      counter.incrementAndGet();
      KvException error = failure;
      return Futures.within(
          call,
          Futures.after(LATE)
              .thenCompose(late -> held)
              .thenCompose(
                  let -> error == null ? request.get() : CompletableFuture.failedFuture(error)),
          () -> new KvException.UnknownOutcome("no answer by the deadline"));
    }
  }

  /** Wraps what the services see of a side. */
  interface SideOpener {
    Store open(String side, Store inner);
  }

  /** A side that shows what it reads to the version clock of the service, as drivers do. */
  static class Side extends ForwardingStore {
    private final Requests requests;
    private final VersionClock clock;

    Side(Store inner, Requests requests, VersionClock clock) {
      super(inner);
      this.requests = requests;
      this.clock = clock;
    }

    @Override
    protected StoreCollection wrap(StoreCollection collection) {
      return new ForwardingCollection(collection) {
        @Override
        public void check(StoreKey key, Mutation mutation) {
          if (requests.refusesWrites) {
            throw new KvException.InvalidArgument("the row is too large");
          }
          inner.check(key, mutation);
        }

        @Override
        public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
          return requests
              .<@Nullable Row>send(
                  requests.reads, requests.readsHeld, call, () -> inner.get(key, call))
              .thenCompose(
                  row -> {
                    if (row != null) {
                      clock.observe(row.version());
                    }
                    return requests.answersHeld.thenApply(let -> row);
                  });
        }

        @Override
        public CompletionStage<RowPage> range(
            Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
          return requests.send(
              requests.reads,
              requests.readsHeld,
              call,
              () -> inner.range(main, shard, range, limit, call));
        }

        @Override
        public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
          return requests.send(
              requests.writes, requests.writesHeld, call, () -> inner.write(key, mutation, call));
        }
      };
    }

    @Override
    public CompletionStage<Map<String, Gate.State>> report(InstanceReport report) {
      return requests
          .reportsHeld
          .thenCompose(let -> super.report(report))
          .thenApply(
              states -> {
                requests.reports.incrementAndGet();
                return states;
              });
    }
  }

  TwoStores() {
    copy = TestCopy.announce(onOld);
    onNew = join(newStore.open(ITEMS, LAYOUT, Claim.importing(copy)));
  }

  /** Opens the store of another service, which the caller closes. */
  KvStore connect(String service) {
    return connect(service, toOld, toNew);
  }

  KvStore connect(String service, Requests ownToOld, Requests ownToNew) {
    return KvStore.over(open(service, ownToOld, ownToNew));
  }

  Store open(String service, Requests ownToOld, Requests ownToNew) {
    return openSides(
        service, (side, inner) -> new Side(inner, side.equals("old") ? ownToOld : ownToNew, clock));
  }

  /** Opens the store of a service whose sides fail as {@code around} says. */
  Store open(String service, UnaryOperator<Store> around) {
    return open(service, (SideOpener) (side, inner) -> around.apply(inner));
  }

  /** Opens the store of a service whose sides are wrapped as {@code around} says. */
  Store open(String service, SideOpener around) {
    return openSides(
        service,
        (side, inner) ->
            around.open(side, new Side(inner, side.equals("old") ? toOld : toNew, clock)));
  }

  private Store openSides(String service, SideOpener sides) {
    VersionClock own = clock;
    ConnectionString string =
        ConnectionString.parse(
            "transition://" + service + "?old=memory%3A%2F%2Fold&new=memory%3A%2F%2Fnew");
    return new TransitionProvider()
        .open(
            string,
            new StoreProvider.Context() {
              @Override
              public Store open(ConnectionString nested) {
                String side = nested.hosts().get(0).name();
                Store inner = MemoryStoreProvider.open(name + "-" + side);
                return sides.open(side, inner);
              }

              @Override
              public VersionClock clock() {
                return own;
              }

              @Override
              public KvObserver observer() {
                return new RecordedEvents(events);
              }

              @Override
              public Cohort cohort() {
                return (collection, main) -> cohort.includes(collection, main);
              }
            });
  }

  /** Waits until every instance could follow a step. */
  void awaitReady() {
    awaitReady(copy);
  }

  /** Waits until every instance could follow a step with a copy. */
  void awaitReady(Copy named) {
    Await.until(
        "every instance is ready",
        () ->
            join(onOld.gate().instances()).stream()
                .allMatch(one -> one.report().obstacle(ITEMS, Phase.NEW_ONLY, named) == null));
  }

  /** Takes the collection to a phase; into new-only it seals from new-primary. */
  void moveTo(Phase phase) {
    awaitReady();
    if (phase != Phase.NEW_ONLY) {
      coordinator.moveTo(phase, PATIENCE);
      return;
    }
    Gate.State last = coordinator.moveTo(Phase.NEW_PRIMARY, PATIENCE);
    Gate.State sealed = join(onOld.gate().seal(last.epoch()));
    stream();
    join(newStore.activate(ITEMS, copy, sealed.floor()));
  }

  /** Applies what the old side has committed since the last call, as stream and apply do. */
  void stream() {
    stream(onNew);
  }

  /** Forgets what was streamed, for another copy. */
  synchronized void streamFromTheBeginning() {
    streamed = 0;
  }

  /** Applies what the old side has committed to a copy. */
  synchronized void stream(StoreCollection to) {
    while (true) {
      ChangeSource.Batch batch =
          join(onOld.changes().read(streamed, BATCH_BYTES, Duration.ofMillis(1)));
      if (!(batch instanceof ChangeSource.Data data)) {
        streamed = batch.position(); // a fence, or its lift
        continue;
      }
      if (data.changes().isEmpty()) {
        return;
      }
      for (ChangeSource.Change change : data.changes()) {
        Row row = change.row();
        join(to.write(row.key(), row.toMutation(), call()));
      }
      streamed = data.position();
    }
  }

  /** Publishes a version as W. */
  void publish(long applied) {
    join(onOld.gate().applied(applied));
  }

  List<Event> events(Event.Kind kind) {
    return events.stream().filter(event -> event.kind() == kind).toList();
  }

  static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }

  @Override
  public void close() {
    oldStore.close();
    newStore.close();
  }
}
