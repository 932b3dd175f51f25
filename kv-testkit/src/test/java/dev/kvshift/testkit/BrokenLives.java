package dev.kvshift.testkit;

import static dev.kvshift.testkit.BrokenDriversTest.collection;
import static dev.kvshift.testkit.BrokenDriversTest.store;
import static dev.kvshift.testkit.ForwardingParts.withGate;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.Arguments;

/** Stores that break a sentence of checks, deadlines, errors or closing each. */
final class BrokenLives {
  private BrokenLives() {}

  static Stream<Arguments> all() {
    return Stream.of(
        collection(
            "checks nothing",
            BrokenLives::checksNothing,
            DriverKit.Limits.class,
            "check_sizesAroundEachLimit_agreesWithTheLimit"),
        collection(
            "refuses what it can hold",
            BrokenLives::refusesWhatItCanHold,
            DriverKit.Limits.class,
            "check_sizesAroundEachLimit_agreesWithTheLimit"),
        store(
            "checks by how it was opened",
            BrokenLives::checksByItsClaim,
            DriverKit.Limits.class,
            "check_readerOrClosedStore_isByKeyAndMutationAlone"),
        collection(
            "sends a check",
            BrokenLives::sendsACheck,
            DriverKit.Work.class,
            "put_anEntryTwice_isOneRoundTripToOnePartitionEach"),
        store(
            "leaves a waiting write alone when closed",
            BrokenLives::leavesWaitingWritesAlone,
            DriverKit.Fence.class,
            "write_waitingWhenTheStoreIsClosed_endsAndTheOthersWait"),
        store(
            "waits for its writes when closed",
            BrokenLives::waitsForItsWrites,
            DriverKit.Fence.class,
            "write_waitingWhenTheStoreIsClosed_endsAndTheOthersWait"),
        store(
            "closes once only",
            BrokenLives::closesOnceOnly,
            DriverKit.Lifecycle.class,
            "close_again_doesNothing"),
        store(
            "asks to try a closed store again",
            BrokenLives::asksToTryAgain,
            DriverKit.Lifecycle.class,
            "close_thenAnyRequest_isPermanent"),
        collection(
            "answers its last state once closed",
            BrokenLives::answersItsLastState,
            DriverKit.Gate.class,
            "state_closedStore_isPermanent"),
        collection(
            "scans on once closed",
            BrokenLives::scansOnWhenClosed,
            DriverKit.Scan.class,
            "scan_closedStore_isPermanent"),
        collection(
            "reads past the deadline",
            BrokenLives::readsPastTheDeadline,
            DriverKit.Errors.class,
            "get_deadlinePassed_isTransient"),
        collection(
            "fails with an error of its own",
            BrokenLives::failsWithItsOwnError,
            DriverKit.Errors.class,
            "get_deadlinePassed_isTransient"),
        collection(
            "gives up a late read",
            BrokenLives::givesUpALateRead,
            DriverKit.Errors.class,
            "get_deadlinePassed_isTransient"),
        collection(
            "tells the value",
            BrokenLives::tellsTheValue,
            DriverKit.Errors.class,
            "errors_neverTellTheValue"),
        collection(
            "has another name",
            BrokenLives::hasAnotherName,
            DriverKit.PointOperations.class,
            "name_andLayout_areThoseOfTheOpening"),
        store(
            "declares less than it has",
            BrokenLives::declaresLess,
            DriverKit.PointOperations.class,
            "capabilities_areThoseOfTheFixture"),
        store(
            "changes its limits",
            BrokenLives::changesItsLimits,
            DriverKit.Limits.class,
            "limits_areOnesToWorkWith"),
        store(
            "is a minute late",
            BrokenLives::isAMinuteLate,
            DriverKit.Lifecycle.class,
            "serverTime_isNearTheClock"));
  }

  private static StoreCollection checksNothing(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public void check(StoreKey key, Mutation mutation) {}
    };
  }

  private static StoreCollection refusesWhatItCanHold(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public void check(StoreKey key, Mutation mutation) {
        if (key.main().size() > 1_024) {
          throw new KvException.InvalidArgument("a long key");
        }
        inner.check(key, mutation);
      }
    };
  }

  private static Store checksByItsClaim(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
        return inner
            .open(name, layout, claim)
            .thenApply(
                opened ->
                    new ForwardingCollection(opened) {
                      @Override
                      public void check(StoreKey key, Mutation mutation) {
                        if (claim.kind() == Claim.Kind.READ) {
                          throw new KvException.InvalidArgument("opened for reading");
                        }
                        inner.check(key, mutation);
                      }
                    });
      }
    };
  }

  private static StoreCollection sendsACheck(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public void check(StoreKey key, Mutation mutation) {
        inner.get(key, Call.within(Duration.ofSeconds(10)));
        inner.check(key, mutation);
      }
    };
  }

  private static Store leavesWaitingWritesAlone(Store store) {
    return new ForwardingStore(store) {
      @Override
      protected StoreCollection wrap(StoreCollection collection) {
        return new ForwardingCollection(collection) {
          @Override
          public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
            CompletableFuture<Long> result = new CompletableFuture<>();
            inner.write(key, mutation, call).thenAccept(result::complete);
            return result;
          }
        };
      }
    };
  }

  /** Ends a write in flight when its deadline has passed, and not when the store is closed. */
  private static Store waitsForItsWrites(Store store) {
    AtomicInteger inFlight = new AtomicInteger();
    AtomicBoolean closing = new AtomicBoolean();
    return new ForwardingStore(store) {
      @Override
      protected StoreCollection wrap(StoreCollection collection) {
        return new ForwardingCollection(collection) {
          @Override
          public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
            inFlight.incrementAndGet();
            return inner
                .write(key, mutation, call)
                .whenComplete(
                    (version, error) -> {
                      if (inFlight.decrementAndGet() == 0 && closing.get()) {
                        close();
                      }
                    });
          }
        };
      }

      @Override
      public void close() {
        closing.set(true);
        if (inFlight.get() == 0) {
          inner.close();
        }
      }
    };
  }

  private static Store closesOnceOnly(Store store) {
    AtomicBoolean closed = new AtomicBoolean();
    return new ForwardingStore(store) {
      @Override
      public void close() {
        if (!closed.compareAndSet(false, true)) {
          throw new KvException.Permanent("closed already");
        }
        inner.close();
      }
    };
  }

  private static Store asksToTryAgain(Store store) {
    AtomicBoolean closed = new AtomicBoolean();
    return new ForwardingStore(store) {
      @Override
      protected StoreCollection wrap(StoreCollection collection) {
        return new ForwardingCollection(collection) {
          @Override
          public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
            return closed.get()
                ? CompletableFuture.failedFuture(new KvException.Transient("closed"))
                : inner.get(key, call);
          }
        };
      }

      @Override
      public void close() {
        closed.set(true);
        inner.close();
      }
    };
  }

  private static StoreCollection answersItsLastState(StoreCollection collection) {
    AtomicReference<Gate.State> last = new AtomicReference<>();
    return withGate(
        collection,
        gate ->
            new ForwardingParts.Leader(gate) {
              @Override
              public CompletionStage<State> state() {
                return inner
                    .state()
                    .thenApply(
                        state -> {
                          last.set(state);
                          return state;
                        })
                    .exceptionallyCompose(
                        error ->
                            last.get() == null
                                ? CompletableFuture.failedFuture(error)
                                : CompletableFuture.completedFuture(last.get()));
              }
            });
  }

  private static StoreCollection scansOnWhenClosed(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<ScanPage> scan(
          ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
        return inner
            .scan(task, position, limit, call)
            .exceptionallyCompose(
                error ->
                    Futures.unwrap(error) instanceof KvException.Permanent
                        ? CompletableFuture.completedFuture(ScanPage.of(List.of(), null))
                        : CompletableFuture.failedFuture(error));
      }
    };
  }

  private static StoreCollection readsPastTheDeadline(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
        return inner.get(key, Call.within(Duration.ofMinutes(1)).withEpoch(call.epoch()));
      }
    };
  }

  private static StoreCollection failing(StoreCollection collection, RuntimeException error) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
        return call.isExpired() ? CompletableFuture.failedFuture(error) : inner.get(key, call);
      }
    };
  }

  private static StoreCollection failsWithItsOwnError(StoreCollection collection) {
    return failing(collection, new IllegalStateException("timed out"));
  }

  private static StoreCollection givesUpALateRead(StoreCollection collection) {
    return failing(collection, new KvException.Permanent("timed out"));
  }

  private static StoreCollection tellsTheValue(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner
            .write(key, mutation, call)
            .exceptionallyCompose(
                error ->
                    CompletableFuture.failedFuture(
                        new KvException.Permanent("not written: " + mutation.value())));
      }
    };
  }

  private static StoreCollection hasAnotherName(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public String name() {
        return inner.name() + "-1";
      }
    };
  }

  private static Store declaresLess(Store store) {
    return new ForwardingStore(store) {
      @Override
      public Set<Capability> capabilities() {
        Set<Capability> less = EnumSet.copyOf(inner.capabilities());
        less.remove(Capability.SCAN);
        return less;
      }
    };
  }

  private static Store changesItsLimits(Store store) {
    AtomicInteger calls = new AtomicInteger();
    return new ForwardingStore(store) {
      @Override
      public Limits limits() {
        return inner.limits().withMaxInFlight(1_000 + calls.incrementAndGet());
      }
    };
  }

  private static Store isAMinuteLate(Store store) {
    return new ForwardingStore(store) {
      @Override
      public CompletionStage<Instant> serverTime() {
        return inner.serverTime().thenApply(time -> time.minusSeconds(60));
      }

      @Override
      public List<Supplier<CompletionStage<Instant>>> serverTimes() {
        return List.of(this::serverTime);
      }
    };
  }
}
