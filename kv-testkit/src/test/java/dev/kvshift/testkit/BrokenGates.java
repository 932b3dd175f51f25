package dev.kvshift.testkit;

import static dev.kvshift.testkit.BrokenDriversTest.collection;
import static dev.kvshift.testkit.BrokenDriversTest.store;
import static dev.kvshift.testkit.ForwardingParts.withGate;
import static dev.kvshift.testkit.ForwardingParts.withLog;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.Arguments;

/** Stores that break a sentence of {@link Gate} each, or of what a store says of its gates. */
final class BrokenGates {
  private BrokenGates() {}

  static Stream<Arguments> all() {
    return Stream.of(
        collection(
            "compares the epoch alone",
            BrokenGates::comparesTheEpochAlone,
            DriverKit.Gate.class,
            "compareAndSet_otherAcceptMin_changesNothing"),
        collection(
            "takes the leader's members from the caller",
            BrokenGates::takesLeadersMembers,
            DriverKit.Gate.class,
            "compareAndSet_membersOfTheLeader_areNotTakenFromTheCaller"),
        collection(
            "keeps the watermark of another incarnation",
            BrokenGates::keepsTheWatermark,
            DriverKit.Gate.class,
            "compareAndSet_anotherIncarnation_beginsWithNoWatermark"),
        collection(
            "lets acceptMin fall",
            BrokenGates::letsAcceptMinFall,
            DriverKit.Gate.class,
            "compareAndSet_fallingAcceptMin_isPermanentAndChangesNothing"),
        collection(
            "holds back steps down",
            BrokenGates::holdsBackStepsDown,
            DriverKit.Gate.class,
            "compareAndSet_stepDownWhileAnInstanceCannotFollow_isTaken"),
        collection(
            "loses the ramp",
            BrokenGates::losesTheRamp,
            DriverKit.Gate.class,
            "compareAndSet_anotherCopy_beginsWithNoWatermark"),
        collection(
            "gives up everybody if anybody",
            BrokenGates::givesUpEverybody,
            DriverKit.Gate.class,
            "fence_givingUpAnother_isStillRefused"),
        store(
            "moves all past an instance",
            BrokenGates::movesAllPastAnInstance,
            DriverKit.Gate.class,
            "moveAll_whileAnInstanceCannotFollow_movesNone"),
        collection(
            "names no copy in its refusal",
            BrokenGates::namesNoCopy,
            DriverKit.Gate.class,
            "request_staleAfterPrepare_namesTheCopy"),
        collection(
            "names no floor in its refusal",
            BrokenGates::namesNoFloor,
            DriverKit.Gate.class,
            "seal_currentEpoch_handsOverAndRefusesEverything"),
        collection(
            "gates scans",
            BrokenGates::gatesScans,
            DriverKit.Gate.class,
            "scan_ofSealedLeader_isServed"),
        collection(
            "gates changes",
            BrokenGates::gatesChanges,
            DriverKit.Fence.class,
            "changes_afterMove_areStillRead"),
        collection(
            "takes ungated writes",
            BrokenGates::takesUngatedWrites,
            DriverKit.Gate.class,
            "read_ungated_isServedBySealedLeader"),
        collection(
            "fences again after the lift",
            BrokenGates::fencesAgain,
            DriverKit.Fence.class,
            "fence_lateRequestOfALiftedAttempt_raisesNone"),
        collection(
            "lifts anybody's fence",
            BrokenGates::liftsAnybodysFence,
            DriverKit.Fence.class,
            "lift_otherAttempt_leavesTheFence"),
        collection(
            "moves for good",
            BrokenGates::movesForGood,
            DriverKit.WayBack.class,
            "move_wayBackKept_handsToTheClocks"),
        collection(
            "serves every epoch",
            BrokenGates::servesEveryEpoch,
            DriverKit.WayBack.class,
            "write_epochBeforeTheWayBack_isRefusedForEver"),
        collection(
            "hides the clocks",
            BrokenGates::hidesTheClocks,
            DriverKit.WayBack.class,
            "seal_wayBackKept_handsToTheClocks"),
        collection(
            "moves once only",
            BrokenGates::movesOnceOnly,
            DriverKit.Fence.class,
            "move_again_givesTheSame_andNothingLeadsBack"),
        collection(
            "reasserts in words alone",
            BrokenGates::reassertsInWordsAlone,
            DriverKit.Gate.class,
            "reassert_value_getsANewVersionAboveTheGiven"),
        collection(
            "reasserts what has expired",
            BrokenGates::reassertsWhatHasExpired,
            DriverKit.Gate.class,
            "reassert_expired_givesATombstone"),
        collection(
            "takes any watermark",
            BrokenGates::takesAnyWatermark,
            DriverKit.Gate.class,
            "applied_watermark_risesAndNeverFalls"),
        store(
            "invents collections",
            BrokenGates::inventsCollections,
            DriverKit.Gate.class,
            "report_severalCollections_isOneLeaseForAll"),
        store(
            "takes epochs to come",
            BrokenGates::takesEpochsToCome,
            DriverKit.Gate.class,
            "report_futureEpoch_isPermanent"));
  }

  private static StoreCollection comparesTheEpochAlone(StoreCollection collection) {
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Boolean> compareAndSet(State expected, State next) {
                return inner
                    .state()
                    .thenCompose(
                        now ->
                            inner.compareAndSet(
                                now.epoch() == expected.epoch() ? now : expected, next));
              }
            });
  }

  private static StoreCollection takesLeadersMembers(StoreCollection collection) {
    AtomicReference<Gate.State> given = new AtomicReference<>();
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Boolean> compareAndSet(State expected, State next) {
                given.set(next);
                return inner.compareAndSet(expected, next);
              }

              @Override
              public CompletionStage<State> state() {
                State taken = given.get();
                return inner
                    .state()
                    .thenApply(
                        state ->
                            taken == null
                                ? state
                                : state
                                    .withFloor(taken.floor())
                                    .withApplied(taken.applied())
                                    .withSealed(taken.sealed()));
              }
            });
  }

  private static StoreCollection keepsTheWatermark(StoreCollection collection) {
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Boolean> compareAndSet(State expected, State next) {
                return inner
                    .compareAndSet(expected, next)
                    .thenCompose(
                        done ->
                            next.incarnation() == expected.incarnation()
                                ? CompletableFuture.completedFuture(done)
                                : inner.applied(expected.applied()).thenApply(kept -> done));
              }
            });
  }

  private static StoreCollection letsAcceptMinFall(StoreCollection collection) {
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Boolean> compareAndSet(State expected, State next) {
                return inner.compareAndSet(
                    expected,
                    next.acceptMin() < expected.acceptMin()
                        ? next.withAcceptMin(expected.acceptMin())
                        : next);
              }
            });
  }

  /** Asks that instances be ready for a lower phase too. */
  private static StoreCollection holdsBackStepsDown(StoreCollection collection) {
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Boolean> compareAndSet(State expected, State next) {
                return next.phase().compareTo(expected.phase()) >= 0
                    ? inner.compareAndSet(expected, next)
                    : inner
                        .instances()
                        .thenCompose(
                            all ->
                                all.isEmpty()
                                    ? inner.compareAndSet(expected, next)
                                    : CompletableFuture.failedFuture(
                                        new KvException.Transient("instances are not ready")));
              }
            });
  }

  private static StoreCollection movesForGood(StoreCollection collection) {
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Boolean> compareAndSet(State expected, State next) {
                return inner.compareAndSet(expected, next.withWayBack(false));
              }
            });
  }

  private static StoreCollection servesEveryEpoch(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner.write(key, mutation, call.ungated());
      }
    };
  }

  private static StoreCollection hidesTheClocks(StoreCollection collection) {
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<State> seal(long epoch) {
                return inner.seal(epoch).thenApply(state -> state.withClockOrder(false));
              }
            });
  }

  private static StoreCollection losesTheRamp(StoreCollection collection) {
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Boolean> compareAndSet(State expected, State next) {
                return inner.compareAndSet(expected, next.withRamp(State.ALL));
              }
            });
  }

  private static StoreCollection givesUpEverybody(StoreCollection collection) {
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Fence> fence(String attempt, FenceOptions options) {
                return options.givenUp().isEmpty()
                    ? inner.fence(attempt, options)
                    : inner
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

  private static Store movesAllPastAnInstance(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<Map<String, Gate.State>> moveAll(Map<String, String> attempts) {
        return inner
            .moveAll(attempts)
            .exceptionallyCompose(
                error ->
                    Futures.unwrap(error) instanceof InstancesNotReady
                        ? CompletableFuture.completedFuture(Map.of())
                        : CompletableFuture.failedFuture(error));
      }
    };
  }

  private static StoreCollection namesNoCopy(StoreCollection collection) {
    return refusing(
        collection, e -> new StalePhase(e.collection(), e.epoch(), e.phase(), e.floor(), null));
  }

  private static StoreCollection namesNoFloor(StoreCollection collection) {
    return refusing(
        collection, e -> new StalePhase(e.collection(), e.epoch(), e.phase(), 0, e.copy()));
  }

  private static StoreCollection refusing(
      StoreCollection collection, UnaryOperator<StalePhase> refusal) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
        return inner
            .get(key, call)
            .exceptionallyCompose(
                error ->
                    CompletableFuture.failedFuture(
                        Futures.unwrap(error) instanceof StalePhase stale
                            ? refusal.apply(stale)
                            : error));
      }
    };
  }

  private static StoreCollection gatesScans(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<ScanPage> scan(
          ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
        return inner
            .get(StoreKey.of(Bytes.utf8("any"), Bytes.empty()), call)
            .thenCompose(row -> inner.scan(task, position, limit, call));
      }
    };
  }

  private static StoreCollection gatesChanges(StoreCollection collection) {
    return withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
                Call call = Call.within(Duration.ofSeconds(10));
                return collection
                    .get(StoreKey.of(Bytes.utf8("any"), Bytes.empty()), call)
                    .thenCompose(row -> inner.read(after, maxBytes, wait));
              }
            });
  }

  private static StoreCollection takesUngatedWrites(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return call.isUngated()
            ? CompletableFuture.completedFuture(1L)
            : inner.write(key, mutation, call);
      }
    };
  }

  private static StoreCollection fencesAgain(StoreCollection collection) {
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Fence> fence(String attempt, FenceOptions options) {
                return inner
                    .fence(attempt, options)
                    .exceptionallyCompose(error -> inner.fence(attempt + "-again", options));
              }
            });
  }

  private static StoreCollection liftsAnybodysFence(StoreCollection collection) {
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Void> lift(String attempt) {
                return inner
                    .state()
                    .thenCompose(
                        state ->
                            inner.lift(state.fence() == null ? attempt : state.fence().attempt()));
              }
            });
  }

  private static StoreCollection movesOnceOnly(StoreCollection collection) {
    Set<String> moved = ConcurrentHashMap.newKeySet();
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<State> move(String attempt) {
                return moved.add(attempt)
                    ? inner.move(attempt)
                    : CompletableFuture.failedFuture(new KvException.Permanent("moved already"));
              }
            });
  }

  private static StoreCollection reassertsInWordsAlone(StoreCollection collection) {
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Row> reassert(StoreKey key, long atLeast) {
                return collection
                    .get(key, Call.within(Duration.ofSeconds(10)).ungated())
                    .thenApply(
                        row ->
                            Row.of(
                                key,
                                atLeast + 1,
                                row == null ? null : row.value(),
                                row == null ? null : row.expiry()));
              }
            });
  }

  /** Gives a new version to the last value, although it has expired. */
  private static StoreCollection reassertsWhatHasExpired(StoreCollection collection) {
    Map<StoreKey, Mutation> last = new ConcurrentHashMap<>();
    StoreCollection remembering =
        new ForwardingCollection(collection) {
          @Override
          public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
            last.put(key, mutation);
            return inner.write(key, mutation, call);
          }
        };
    return withGate(
        remembering,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Row> reassert(StoreKey key, long atLeast) {
                Mutation mutation = last.get(key);
                return inner
                    .reassert(key, atLeast)
                    .thenCompose(
                        row ->
                            mutation == null || mutation.expiry() == null
                                ? CompletableFuture.completedFuture(row)
                                : collection
                                    .write(
                                        key,
                                        mutation.withExpiry(null),
                                        Call.within(Duration.ofSeconds(10)))
                                    .thenApply(
                                        version -> Row.of(key, version, mutation.value(), null)));
              }
            });
  }

  private static StoreCollection takesAnyWatermark(StoreCollection collection) {
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<Void> applied(long version) {
                return inner
                    .state()
                    .thenCompose(
                        state ->
                            version > state.versionCeiling()
                                ? CompletableFuture.completedFuture(null)
                                : inner.applied(version));
              }
            });
  }

  private static Store inventsCollections(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<Map<String, Gate.State>> report(InstanceReport report) {
        return inner
            .report(report)
            .thenApply(
                states -> {
                  Map<String, Gate.State> all = new HashMap<>(states);
                  report.uses().keySet().forEach(use -> all.putIfAbsent(use, Gate.State.first()));
                  return all;
                });
      }
    };
  }

  private static Store takesEpochsToCome(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<Map<String, Gate.State>> report(InstanceReport report) {
        return inner
            .report(report)
            .exceptionallyCompose(error -> CompletableFuture.completedFuture(Map.of()));
      }
    };
  }
}
