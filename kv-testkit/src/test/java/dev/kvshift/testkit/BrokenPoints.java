package dev.kvshift.testkit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Collections with broken reads or writes of single keys. */
final class BrokenPoints {
  private BrokenPoints() {}

  /** Acknowledges a write over an existing value and drops it. */
  static StoreCollection losesTheLastWrite(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner
            .get(key, call)
            .thenCompose(
                row ->
                    row == null || row.value() == null || mutation.value() == null
                        ? inner.write(key, mutation, call)
                        : CompletableFuture.completedFuture(row.version() + 1));
      }
    };
  }

  /** Acknowledges a write and drops it if another thread is writing the same key. */
  static StoreCollection losesAConcurrentUpdate(StoreCollection collection) {
    StoreKey lost = StoreKey.of(Bytes.utf8("lost"), Bytes.empty());
    Set<StoreKey> busy = ConcurrentHashMap.newKeySet();
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        if (!busy.add(key)) {
          return inner.write(lost, mutation, call);
        }
        LockSupport.parkNanos(100_000);
        return inner.write(key, mutation, call).whenComplete((version, error) -> busy.remove(key));
      }
    };
  }

  /** Takes a lock for decoration, although it has none. */
  static StoreCollection ignoresLocks(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner.write(key, mutation.withLock(null), call);
      }
    };
  }

  static StoreCollection takesEmptyForMissing(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
        return inner
            .get(key, call)
            .thenApply(
                row -> row == null || Objects.equals(row.value(), Bytes.empty()) ? null : row);
      }
    };
  }

  static StoreCollection joinsKeyPartsWithoutMark(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
        return inner.get(joined(key), call).thenApply(row -> row == null ? null : row.withKey(key));
      }

      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner.write(joined(key), mutation, call);
      }

      private StoreKey joined(StoreKey key) {
        return StoreKey.of(key.main().concat(key.clustering()), Bytes.empty());
      }
    };
  }

  static StoreCollection readsTwice(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
        return inner.get(key, call).thenCompose(row -> inner.get(key, call));
      }
    };
  }

  static StoreCollection readsBeforeItWrites(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner.get(key, call).thenCompose(row -> inner.write(key, mutation, call));
      }
    };
  }

  static StoreCollection ignoresExpiry(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner.write(
            key,
            Mutation.of(mutation.value()).withVersion(mutation.version()).withLock(mutation.lock()),
            call);
      }
    };
  }

  /** Extends the expiry when a write is replayed, as a relative TTL would. */
  static StoreCollection extendsLifeOnReplay(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner
            .get(key, call)
            .thenCompose(
                row -> {
                  boolean replay =
                      row != null
                          && mutation.expiry() != null
                          && Objects.equals(mutation.version(), row.version());
                  return inner.write(
                      key,
                      replay
                          ? Mutation.of(mutation.value())
                              .withExpiry(Objects.requireNonNull(mutation.expiry()).plusSeconds(10))
                              .withVersion(mutation.version())
                              .withLock(mutation.lock())
                          : mutation,
                      call);
                });
      }
    };
  }

  static StoreCollection cutsExpiryToSeconds(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner.write(
            key,
            mutation.expiry() == null
                ? mutation
                : Mutation.of(mutation.value())
                    .withExpiry(mutation.expiry().truncatedTo(ChronoUnit.SECONDS))
                    .withVersion(mutation.version())
                    .withLock(mutation.lock()),
            call);
      }
    };
  }

  /** Lets the last write to arrive win, whatever its version. */
  static StoreCollection letsOlderVersionsWin(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        Long version = mutation.version();
        Mutation last =
            Mutation.of(mutation.value()).withExpiry(mutation.expiry()).withLock(mutation.lock());
        return inner.write(key, last, call).thenApply(drawn -> version == null ? drawn : version);
      }
    };
  }

  /** Forgets tombstones at once, so that an older write brings a deleted value back. */
  static StoreCollection resurrectsDeleted(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        Long version = mutation.version();
        return inner
            .get(key, call)
            .thenCompose(
                row ->
                    row != null && row.isTombstone() && version != null && version < row.version()
                        ? inner
                            .write(key, mutation.withVersion(row.version() + 1), call)
                            .thenApply(written -> version)
                        : inner.write(key, mutation, call));
      }
    };
  }

  /** Resolves ties by arrival. */
  static StoreCollection letsTheFirstWinTies(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner
            .get(key, call)
            .thenCompose(
                row ->
                    row != null && Objects.equals(mutation.version(), row.version())
                        ? CompletableFuture.completedFuture(row.version())
                        : inner.write(key, mutation, call));
      }
    };
  }

  /** Answers every other read of a key with the result of the previous read. */
  static StoreCollection answersFromACache(StoreCollection collection) {
    Map<StoreKey, Row> seen = new ConcurrentHashMap<>();
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
        Row cached = seen.remove(key);
        if (cached != null) {
          return CompletableFuture.completedFuture(cached);
        }
        return inner
            .get(key, call)
            .thenApply(
                row -> {
                  if (row != null) {
                    seen.put(key, row);
                  }
                  return row;
                });
      }
    };
  }

  static StoreCollection reportsTimeoutAsSuccess(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return call.isExpired()
            ? CompletableFuture.completedFuture(1L)
            : inner.write(key, mutation, call);
      }
    };
  }

  /** Applies a write whose deadline has passed and reports that it was not applied. */
  static StoreCollection reportsUnknownAsFailure(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        if (!call.isExpired()) {
          return inner.write(key, mutation, call);
        }
        return inner
            .write(key, mutation, Call.within(Duration.ofSeconds(10)))
            .thenCompose(
                version -> CompletableFuture.failedFuture(new KvException.Transient("timed out")));
      }
    };
  }
}
