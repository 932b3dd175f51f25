package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A coordinator that is paused at any of its requests to the leader, before it is sent or after it
 * is served, while another one takes the collection up and back under a service: protocol, 4.
 */
final class TwoCoordinatorsTest {
  private static final Key KEY = Key.of(Bytes.utf8("main"), Bytes.utf8("a"));

  private final TwoStores stores = new TwoStores();

  /** Every record that a coordinator has set, in order. */
  private final List<Gate.State> set = Collections.synchronizedList(new ArrayList<>());

  @AfterEach
  void close() {
    stores.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void moveTo_pausedAtEachEdge_neverUndoesWhatTheOtherDid(boolean isBefore) {
    try (KvStore service = stores.connect("service")) {
      KvCollection items = service.collection(TwoStores.ITEMS, TwoStores.LAYOUT);
      stores.awaitReady();
      Coordinator other = coordinator(new PausedGate(0, isBefore));
      int edges = 0;
      boolean isPaused = true;
      while (isPaused) {
        other.moveTo(Phase.LEGACY, TwoStores.PATIENCE);
        set.clear();
        edges++;
        PausedGate gate = new PausedGate(edges, isBefore);
        CompletableFuture<Gate.State> first =
            CompletableFuture.supplyAsync(
                () -> coordinator(gate).moveTo(Phase.DUAL_WRITE, TwoStores.PATIENCE));
        Await.until("it is paused, or has ended", () -> gate.isPaused() || first.isDone());
        isPaused = gate.isPaused();
        other.moveTo(Phase.SHADOW_READ, TwoStores.PATIENCE);
        other.moveTo(Phase.LEGACY, TwoStores.PATIENCE);
        gate.resume.complete(null);
        assertThat(join(first).phase()).as("edge %s", edges).isEqualTo(Phase.DUAL_WRITE);
        assertSteps(edges);
        Bytes value = Bytes.utf8("value " + edges);
        items.put(KEY, value);
        assertThat(items.get(KEY)).contains(value);
        stores.stream();
        assertThat(row(false)).as("edge %s", edges).isEqualTo(row(true));
      }
      System.out.println(edges + " edges");
      assertThat(edges).isGreaterThan(8);
    }
  }

  /** A request to the leader that fails, or whose outcome stays unknown, is no end of a step. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void moveTo_leaderFailsOnceAtEachEdge_completesTheStep(boolean isBefore) {
    try (KvStore service = stores.connect("service")) {
      service.collection(TwoStores.ITEMS, TwoStores.LAYOUT);
      stores.awaitReady();
      Coordinator other = coordinator(new PausedGate(0, isBefore));
      boolean isReached = true;
      for (int edge = 1; isReached; edge++) {
        other.moveTo(Phase.LEGACY, TwoStores.PATIENCE);
        set.clear();
        PausedGate gate = new PausedGate(edge, isBefore);
        gate.fails = true;
        gate.resume.complete(null);
        Gate.State state = coordinator(gate).moveTo(Phase.DUAL_WRITE, TwoStores.PATIENCE);
        isReached = gate.isPaused();
        assertThat(state.phase()).as("edge %s", edge).isEqualTo(Phase.DUAL_WRITE);
        assertThat(state.acceptMin()).as("edge %s", edge).isEqualTo(state.epoch());
        assertSteps(edge);
      }
    }
  }

  /** Expects that each record follows from the one before. */
  private void assertSteps(int edge) {
    List<Gate.State> all = List.copyOf(set);
    for (int i = 1; i < all.size(); i++) {
      Gate.State before = all.get(i - 1);
      Gate.State after = all.get(i);
      assertThat(after.epoch())
          .as("edge %s: %s", edge, all)
          .isBetween(before.epoch(), before.epoch() + 1);
      Phase expected =
          after.epoch() == before.epoch() ? before.phase() : before.phase().towards(after.phase());
      assertThat(after.phase()).as("edge %s: %s", edge, all).isEqualTo(expected);
      assertThat(after.acceptMin())
          .as("edge %s: %s", edge, all)
          .isGreaterThanOrEqualTo(before.acceptMin())
          .isGreaterThanOrEqualTo(after.epoch() - 1);
    }
  }

  private Row row(boolean isOld) {
    StoreKey key = StoreKey.of(KEY.main(), KEY.clustering());
    return join((isOld ? stores.onOld : stores.onNew).get(key, TwoStores.call().ungated()));
  }

  private static Coordinator coordinator(Gate gate) {
    return Coordinator.of(TwoStores.ITEMS, gate);
  }

  /** The leader's gate, as one coordinator sees it, which pauses at one of its requests. */
  private final class PausedGate implements Gate {
    private final Gate inner = stores.onOld.gate();
    private final AtomicInteger requests = new AtomicInteger();
    private final int pausedAt;
    private final boolean isBefore;
    private volatile boolean fails;
    private final CompletableFuture<Void> reached = new CompletableFuture<>();
    private final CompletableFuture<Void> resume = new CompletableFuture<>();

    PausedGate(int pausedAt, boolean isBefore) {
      this.pausedAt = pausedAt;
      this.isBefore = isBefore;
    }

    boolean isPaused() {
      return reached.isDone();
    }

    private <T> CompletionStage<T> send(
        Supplier<CompletionStage<T>> request, KvException lostReply) {
      if (requests.incrementAndGet() != pausedAt) {
        return request.get();
      }
      if (isBefore) {
        reached.complete(null);
        KvException lost = new KvException.Transient("the leader is away");
        return resume.thenCompose(
            go -> fails ? CompletableFuture.failedFuture(lost) : request.get());
      }
      return request
          .get()
          .thenCompose(
              reply -> {
                reached.complete(null);
                return resume.thenCompose(
                    go ->
                        fails
                            ? CompletableFuture.failedFuture(lostReply)
                            : CompletableFuture.completedFuture(reply));
              });
    }

    @Override
    public CompletionStage<State> state() {
      return send(inner::state, new KvException.Transient("no answer"));
    }

    @Override
    public CompletionStage<Boolean> compareAndSet(State expected, State next) {
      return send(
          () ->
              inner
                  .compareAndSet(expected, next)
                  .thenApply(
                      done -> {
                        if (done) {
                          set.add(next);
                        }
                        return done;
                      }),
          new KvException.UnknownOutcome("no answer"));
    }

    @Override
    public CompletionStage<List<Instance>> instances() {
      return send(inner::instances, new KvException.Transient("no answer"));
    }

    @Override
    public CompletionStage<Fence> fence(String attempt, FenceOptions options) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<Void> lift(String attempt) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<State> move(String attempt) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<State> seal(long epoch) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<Row> reassert(StoreKey key, long atLeast) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<Void> applied(long version) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void listen(LongConsumer listener) {
      throw new UnsupportedOperationException();
    }
  }
}
