package dev.kvshift.memory;

import dev.kvshift.api.Capability;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.Usage;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.LongConsumer;

/** One store's view of a table's gate. */
record MemoryGate(MemoryStore store, Table table) implements Gate {
  @Override
  public CompletionStage<State> state() {
    return store.supply(table::gateState);
  }

  @Override
  public CompletionStage<Boolean> compareAndSet(State expected, State next) {
    return store.supply(() -> table.withGate(gate -> gate.compareAndSet(expected, next)));
  }

  @Override
  public CompletionStage<Fence> fence(String attempt, FenceOptions options) {
    return store.supply(
        () -> {
          store.require(Capability.FENCING);
          return table.fence(attempt, options);
        });
  }

  @Override
  public CompletionStage<Void> lift(String attempt) {
    return store
        .<Boolean>supply(
            () -> {
              store.require(Capability.FENCING);
              table.lift(attempt);
              return true;
            })
        .thenAccept(lifted -> {});
  }

  @Override
  public CompletionStage<State> move(String attempt) {
    return store.supply(
        () -> {
          store.require(Capability.FENCING);
          return table.move(attempt);
        });
  }

  @Override
  public CompletionStage<State> seal(long epoch) {
    return store.supply(() -> table.seal(epoch));
  }

  @Override
  public CompletionStage<Row> reassert(StoreKey key, long atLeast) {
    Call call = Call.within(store.limits().timeout()).withEpoch(Long.MAX_VALUE);
    return store.compose(() -> table.reassert(store, key, atLeast, call));
  }

  @Override
  public CompletionStage<Void> applied(long version) {
    return store
        .<Boolean>supply(
            () -> {
              table.applied(version);
              return true;
            })
        .thenAccept(published -> {});
  }

  @Override
  public CompletionStage<List<Instance>> instances() {
    return store.supply(() -> table.withGate(LeaderGate::instances));
  }

  @Override
  public CompletionStage<Usage> usage(Instant since) {
    return store.supply(
        () -> {
          store.require(Capability.USAGE);
          return table.withGate(gate -> gate.usage(since));
        });
  }

  @Override
  public void listen(LongConsumer listener) {
    table.withGate(
        gate -> {
          gate.listen(store, listener);
          return store;
        });
  }
}
