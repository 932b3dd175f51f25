package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.GateRecord;
import dev.kvshift.spi.InstanceRegistry;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The gate of a collection whose old store has no leader, kept in the new store's metadata. It is
 * changed by compare-and-set there, and refuses nobody's requests: instances follow it alone, and
 * draw the versions of their writes by their clocks.
 *
 * <p><b>Leases.</b> No clock is compared with another. An instance rewrites its report, and its
 * lease runs from before that. A gate counts {@link Gate#LEASE} and a second by its own monotonic
 * clock from when it first saw a report; one that is still the same afterwards is of an instance
 * whose lease is over. A gate that was just made therefore waits that long for a process that has
 * died.
 *
 * <p>Order makes a step safe: an instance writes its report first and reads the state afterwards, a
 * coordinator changes the state first and reads the reports afterwards. So either the instance
 * learns the new epoch, or the coordinator sees that it may still act in the old one.
 *
 * <p>It is also the gate of a collection that its leader has handed to the clocks: {@link
 * ClockEra}.
 *
 * <p>Fences, moves, reasserted rows and applied watermarks are a leader's, and fail with {@code
 * UnsupportedCapability}. Safe for use by many threads; keep one gate as long as it is needed.
 */
public final class MetadataGate implements Gate {
  private static final String GROUP = "gate/";

  /**
   * The least time for which a process leaves it to the runner to begin the time; at most twice.
   */
  private static final Duration LEAST_WAIT = Duration.ofMillis(100);

  private static final Duration LOOK_AGAIN = Duration.ofMillis(10);

  private final Store store;
  private final String collection;
  private final MetadataLeases leases;
  private final InstanceRegistry instances;
  private final Map<String, Bytes> seen = new HashMap<>();

  /** A record, and the bytes that hold it; none before the first change. */
  record Kept(GateRecord record, @Nullable Bytes bytes) {}

  private MetadataGate(Store store, String collection, LongSupplier nanoTime) {
    this.store = store;
    this.collection = collection;
    this.leases = new MetadataLeases(store.metadata());
    this.instances = new InstanceRegistry(collection, Clock.systemUTC(), nanoTime);
  }

  /**
   * Returns the gate of a collection.
   *
   * @param store the new store, which needs {@link Capability#METADATA} and stays the caller's
   */
  public static MetadataGate of(Store store, String collection) {
    return of(store, collection, System::nanoTime);
  }

  static MetadataGate of(Store store, String collection, LongSupplier nanoTime) {
    return new MetadataGate(store, collection, nanoTime);
  }

  static CompletionStage<Kept> read(Metadata metadata, String collection) {
    return metadata
        .get(GROUP + collection)
        .thenApply(
            bytes ->
                new Kept(
                    bytes == null ? GateRecord.first() : GateText.parseGate(collection, bytes),
                    bytes));
  }

  /** Returns the state that steps which were acknowledged have left. */
  static CompletionStage<State> committed(Metadata metadata, String collection) {
    return read(metadata.committed(), collection).thenApply(kept -> kept.record.state());
  }

  /**
   * Ends once the time in clock order has begun, as the runner is about to record. If nobody has
   * done so after a while, another one for each process, begins it: a whole fleet that did so at
   * once would hold itself up.
   */
  static CompletionStage<Void> awaitBegun(Store fresh, String collection, State handed) {
    long least = LEAST_WAIT.toNanos();
    long wait = ThreadLocalRandom.current().nextLong(least, 2 * least);
    return awaitBegun(fresh, collection, handed, System.nanoTime() + wait);
  }

  private static CompletionStage<Void> awaitBegun(
      Store fresh, String collection, State handed, long end) {
    return hasBegun(fresh, collection, handed)
        .thenCompose(
            begun -> {
              if (begun) {
                return CompletableFuture.completedFuture(null);
              }
              return System.nanoTime() - end >= 0
                  ? begin(fresh, collection, handed)
                  : Futures.after(LOOK_AGAIN)
                      .thenCompose(waited -> awaitBegun(fresh, collection, handed, end));
            });
  }

  private static CompletionStage<Boolean> hasBegun(Store fresh, String collection, State handed) {
    return committed(fresh.metadata(), collection)
        .thenApply(state -> state.epoch() >= handed.epoch());
  }

  /**
   * Begins the time in clock order of a collection that its leader has handed to the clocks, unless
   * it has begun. Any process may do so: what the leader says decides. Fails with {@code Permanent}
   * if the new store does not hold the copy that was handed over.
   *
   * @param fresh the new store
   * @param handed the leader's state, or what a refusal of the leader has told of it
   */
  static CompletionStage<Void> begin(Store fresh, String collection, State handed) {
    return read(fresh.metadata(), collection)
        .thenCompose(
            kept -> {
              if (kept.record.state().epoch() >= handed.epoch()) {
                return CompletableFuture.<Void>completedFuture(null);
              }
              State first =
                  State.first()
                      .withEpoch(handed.epoch())
                      .withAcceptMin(handed.epoch())
                      .withPhase(Phase.NEW_PRIMARY)
                      .withFloor(handed.floor())
                      .withCopy(handed.copy());
              return requireCopy(fresh, collection, handed)
                  .thenCompose(
                      same ->
                          fresh
                              .metadata()
                              .compareAndSet(
                                  GROUP + collection,
                                  kept.bytes,
                                  GateText.print(GateRecord.of(first, null, List.of()))))
                  .thenCompose(begun -> begin(fresh, collection, handed));
            });
  }

  /**
   * Checks that a store holds the copy that was handed to the clocks. Another store may keep the
   * gate of another migration of that name, which must not be replaced.
   */
  private static CompletionStage<?> requireCopy(Store fresh, String collection, State handed) {
    return CollectionRecord.read(fresh.metadata(), collection)
        .thenAccept(
            record -> {
              Copy copy = handed.copy();
              if (copy == null || record == null || !copy.equals(record.copy())) {
                throw new KvException.Permanent(
                    "collection "
                        + collection
                        + " was handed to the clocks with copy "
                        + copy
                        + ", and "
                        + fresh.description()
                        + " holds "
                        + (record == null ? "no such collection" : "'" + record + "'")
                        + ": nothing was changed there; check the new store's connection string");
              }
            });
  }

  /**
   * Returns whether a state is of the time in clock order after a leader's move, or of a collection
   * that was handed over for ever: before, a gate in metadata has no floor.
   */
  static boolean isEra(State state) {
    return state.floor() > 0 && state.phase() != Phase.LEGACY;
  }

  /**
   * Closes the gate, so that nobody takes a step in it any more: the collection goes back to its
   * leader. Repeating the call with the same epoch succeeds.
   *
   * @param epoch the epoch of a merge that every instance has entered, and after whose pass the
   *     gate is closed
   * @return a stage that fails with {@code Permanent} if the gate is in another epoch
   */
  CompletionStage<Void> close(long epoch) {
    return read()
        .thenCompose(
            kept -> {
              State state = kept.record.state();
              boolean isMerged =
                  state.phase() == Phase.SHADOW_READ || state.phase() == Phase.NEW_READ;
              if (state.epoch() != epoch || state.acceptMin() != epoch || !isMerged) {
                throw new KvException.Permanent(
                    "collection "
                        + collection
                        + " is in "
                        + state
                        + ", not in epoch "
                        + epoch
                        + ", and does not go back: begin the way back again");
              }
              return state.sealed()
                  ? CompletableFuture.<Void>completedFuture(null)
                  : change(kept, GateRecord.of(state.withSealed(true), null, List.of()))
                      .thenCompose(closed -> close(epoch));
            });
  }

  /**
   * Records that the leader leads again, for instances that hear of it from here.
   *
   * @param led the leader's state
   */
  CompletionStage<Void> end(State led) {
    return read()
        .thenCompose(
            kept ->
                kept.record.state().epoch() >= led.epoch()
                    ? CompletableFuture.<Void>completedFuture(null)
                    : change(
                            kept,
                            GateRecord.of(
                                State.first().withEpoch(led.epoch()).withAcceptMin(led.epoch()),
                                null,
                                List.of()))
                        .thenCompose(ended -> end(led)));
  }

  private CompletionStage<Kept> read() {
    return read(store.metadata(), collection);
  }

  private CompletionStage<Boolean> change(Kept from, GateRecord to) {
    return store.metadata().compareAndSet(GROUP + collection, from.bytes, GateText.print(to));
  }

  @Override
  public CompletionStage<State> state() {
    return read().thenApply(kept -> kept.record.state());
  }

  @Override
  public CompletionStage<Boolean> compareAndSet(State expected, State next) {
    return look()
        .thenCompose(looked -> read())
        .thenCompose(
            kept -> {
              requireStep(kept.record.state(), next);
              GateRecord stepped = kept.record.stepped(collection, expected, next, instances);
              return stepped == null
                  ? CompletableFuture.completedFuture(false)
                  : change(kept, stepped);
            });
  }

  /** After a leader's move there are only the merge of both sides, and what comes after it. */
  private void requireStep(State state, State next) {
    if (state.sealed() && state.phase() != Phase.NEW_ONLY) {
      throw new KvException.Permanent(
          "collection " + collection + " goes back to its leader: finish the way back");
    }
    if (isEra(state) && next.phase().compareTo(Phase.SHADOW_READ) < 0) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " has left its leader, and goes back from "
              + state.phase()
              + " by a way back, not by a step into "
              + next.phase());
    }
  }

  @Override
  public CompletionStage<State> seal(long epoch) {
    return look()
        .thenCompose(looked -> store.serverTime())
        .thenCompose(
            now -> {
              // Instances draw by the same clocks before and after, so that nobody has to wait.
              long floor = VersionClock.micros(now.minus(VersionClock.SKEW_LIMIT.multipliedBy(2)));
              return read()
                  .thenCompose(
                      kept -> {
                        long known = kept.record.state().floor();
                        GateRecord sealed =
                            kept.record.sealed(
                                collection, epoch, known > 0 ? known : floor, instances);
                        return sealed.equals(kept.record)
                            ? CompletableFuture.completedFuture(sealed.state())
                            : change(kept, sealed)
                                .thenCompose(
                                    changed ->
                                        changed
                                            ? CompletableFuture.completedFuture(sealed.state())
                                            : seal(epoch));
                      });
            });
  }

  @Override
  public CompletionStage<List<Instance>> instances() {
    return look().thenApply(looked -> instances.instances());
  }

  /**
   * Reads the reports, and removes those of instances that are gone. Fails if there are more
   * instances than can be kept: a step may not pass one over.
   */
  private CompletionStage<?> look() {
    return leases.all().thenCompose(this::take);
  }

  private synchronized CompletionStage<?> take(SortedMap<String, Bytes> reports) {
    List<String> gone = instances.forgetGone(); // first, or they would leave no room for others
    seen.keySet().retainAll(reports.keySet());
    Map<String, String> places = new HashMap<>();
    KvException refusal = null;
    for (Map.Entry<String, InstanceReport> each : MetadataLeases.newest(reports).entrySet()) {
      String name = each.getKey();
      Bytes bytes = reports.get(name);
      InstanceReport report = each.getValue();
      if (report.uses().containsKey(collection)) {
        places.put(report.instance(), name);
        if (!bytes.equals(seen.get(name))) {
          try {
            instances.report(report, Long.MAX_VALUE);
            seen.put(name, bytes);
          } catch (KvException e) {
            refusal = e;
          }
        }
      }
    }
    CompletionStage<?> removed = CompletableFuture.completedFuture(null);
    for (String instance : gone) {
      String name = places.get(instance); // null if it lives, and has closed this collection
      if (name != null && instances.isNew(instance)) {
        seen.remove(name); // looked at again if it cannot be removed
        removed = removed.thenCompose(before -> leases.remove(name, reports.get(name)));
      }
    }
    KvException refused = refusal;
    return refused == null
        ? removed
        : removed.thenCompose(before -> CompletableFuture.failedFuture(refused));
  }

  /** Does nothing: no store's replies show an epoch. Instances learn of steps by their reports. */
  @Override
  public void listen(LongConsumer listener) {}

  @Override
  public CompletionStage<Fence> fence(String attempt, FenceOptions options) {
    return unsupported(Capability.FENCING);
  }

  @Override
  public CompletionStage<Void> lift(String attempt) {
    return unsupported(Capability.FENCING);
  }

  @Override
  public CompletionStage<State> move(String attempt) {
    return unsupported(Capability.FENCING);
  }

  @Override
  public CompletionStage<Row> reassert(StoreKey key, long atLeast) {
    return unsupported(Capability.GATE);
  }

  @Override
  public CompletionStage<Void> applied(long version) {
    return unsupported(Capability.GATE);
  }

  private <T> CompletionStage<T> unsupported(Capability capability) {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(
            capability, "a gate kept in the metadata of " + store.description()));
  }
}
