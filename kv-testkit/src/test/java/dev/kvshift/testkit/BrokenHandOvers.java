package dev.kvshift.testkit;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Stores that hand over to whom they should not, or lose what instances say. */
final class BrokenHandOvers {
  private BrokenHandOvers() {}

  static StoreCollection fencesWhoIsNotReady(StoreCollection collection) {
    return ForwardingParts.withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Fence> fence(String attempt, FenceOptions options) {
                return inner
                    .instances()
                    .thenCompose(
                        all -> {
                          Set<String> everybody =
                              all.stream()
                                  .map(instance -> instance.report().service())
                                  .collect(Collectors.toSet());
                          return inner.fence(attempt, options.givingUp(everybody));
                        });
              }
            });
  }

  static StoreCollection forgetsTheCopy(StoreCollection collection) {
    return ForwardingParts.withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Boolean> compareAndSet(State expected, State next) {
                return inner.compareAndSet(expected, next.withCopy(null));
              }
            });
  }

  static StoreCollection tellsNoListener(StoreCollection collection) {
    return ForwardingParts.withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public void listen(LongConsumer listener) {}
            });
  }

  static StoreCollection publishesNoWatermark(StoreCollection collection) {
    return ForwardingParts.withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Void> applied(long version) {
                return CompletableFuture.completedFuture(null);
              }
            });
  }

  static StoreCollection listsNobody(StoreCollection collection) {
    return ForwardingParts.withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<List<Instance>> instances() {
                return CompletableFuture.completedFuture(List.of());
              }
            });
  }

  /** Refuses the runner what it refuses services. */
  static StoreCollection gatesTheRunner(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
        return inner.get(key, call.isUngated() ? call.withEpoch(0) : call);
      }
    };
  }

  /** Moves one collection after the other, and stops at the first that refuses. */
  static Store movesOneAfterTheOther(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<Map<String, Gate.State>> moveAll(Map<String, String> attempts) {
        CompletionStage<Map<String, Gate.State>> moved =
            CompletableFuture.completedFuture(new TreeMap<>());
        for (Map.Entry<String, String> attempt : new TreeMap<>(attempts).entrySet()) {
          moved =
              moved.thenCompose(
                  before ->
                      inner
                          .moveAll(Map.of(attempt.getKey(), attempt.getValue()))
                          .thenApply(
                              more -> {
                                before.putAll(more);
                                return before;
                              }));
        }
        return moved;
      }
    };
  }

  private static Store reporting(Store store, UnaryOperator<InstanceReport> breaking) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<Map<String, Gate.State>> report(InstanceReport report) {
        return inner.report(breaking.apply(report));
      }
    };
  }

  static Store takesInstancesForOne(Store store) {
    return reporting(
        store,
        report -> {
          InstanceReport same =
              InstanceReport.of("one", report.service())
                  .withLibrary(report.library())
                  .withNewestPhase(report.newestPhase());
          for (Map.Entry<String, InstanceReport.Use> use : report.uses().entrySet()) {
            same = same.withUse(use.getKey(), use.getValue());
          }
          return same;
        });
  }

  static Store losesWhatInstancesSee(Store store) {
    return reporting(
        store,
        report -> {
          InstanceReport less = report;
          for (Map.Entry<String, InstanceReport.Use> use : report.uses().entrySet()) {
            less =
                less.withUse(
                    use.getKey(), InstanceReport.Use.acknowledging(use.getValue().acknowledged()));
          }
          return less;
        });
  }

  static Store reportsTheFirstCollectionAlone(Store store) {
    return reporting(
        store,
        report -> {
          String first = report.uses().keySet().iterator().next();
          return InstanceReport.of(report.instance(), report.service())
              .withNewestPhase(report.newestPhase())
              .withUse(first, report.uses().get(first));
        });
  }

  /** Activates whatever copy it holds. */
  static Store activatesAnyCopy(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
        return CollectionRecord.read(inner.metadata(), name)
            .thenCompose(
                found ->
                    inner.activate(
                        name, found == null || found.copy() == null ? copy : found.copy(), floor));
      }

      @Override
      public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
        return claim.copy() == null
            ? inner.open(name, layout, claim)
            : CollectionRecord.read(inner.metadata(), name)
                .thenCompose(
                    found ->
                        inner.open(
                            name,
                            layout,
                            found == null || found.copy() == null
                                ? claim
                                : Claim.importing(found.copy())));
      }
    };
  }

  /** Opens for writing what was to be read only. */
  static Store writesWhatIsReadOnly(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
        return inner.open(name, layout, claim.kind() == Claim.Kind.READ ? Claim.NONE : claim);
      }
    };
  }

  /** Admits readers while the copy is in progress, and refuses their writes. */
  static Store letsReadersInEarly(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
        return claim.kind() != Claim.Kind.READ
            ? inner.open(name, layout, claim)
            : inner
                .open(name, layout, Claim.NONE)
                .thenApply(
                    opened ->
                        new ForwardingCollection(opened) {
                          @Override
                          public CompletionStage<Long> write(
                              StoreKey key, Mutation mutation, Call call) {
                            return CompletableFuture.failedFuture(
                                new KvException.Permanent("opened for reading"));
                          }
                        });
      }
    };
  }

  /** Gives each caller a store of its own. */
  static Store opensAStoreOfItsOwn(Store store) {
    return new ForwardingStore(MemoryStoreProvider.open(UUID.randomUUID().toString())) {
      @Override
      public void close() {
        super.close();
        store.close();
      }
    };
  }

  /** Keeps the layout of the first opening, and ignores all others. */
  static Store ignoresLayouts(Store store) {
    Map<String, Layout> first = new ConcurrentHashMap<>();
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
        Layout known = first.putIfAbsent(name, layout);
        return inner.open(name, known == null ? layout : known, claim);
      }
    };
  }

  static StoreCollection drawsALogIdEachTime(StoreCollection collection) {
    return ForwardingParts.withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<String> logId(long position) {
                return CompletableFuture.completedFuture(UUID.randomUUID().toString());
              }
            });
  }

  static StoreCollection livesAMillisecondLonger(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner.write(
            key,
            mutation.expiry() == null
                ? mutation
                : mutation.withExpiry(mutation.expiry().plusMillis(1)),
            call);
      }
    };
  }
}
