package dev.kvshift.testkit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Stores whose gate, changes, metadata, locks or lifecycle are broken. */
final class BrokenLeaders {
  private BrokenLeaders() {}

  static StoreCollection ignoresEpochs(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
        return inner.get(key, call.withEpoch(Long.MAX_VALUE));
      }

      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner.write(key, mutation, call.withEpoch(Long.MAX_VALUE));
      }
    };
  }

  /** Acknowledges writes behind a fence instead of letting them wait. */
  static StoreCollection acknowledgesBehindTheFence(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return inner
            .gate()
            .state()
            .thenCompose(
                state -> {
                  CompletionStage<Long> write = inner.write(key, mutation, call);
                  return state.fence() == null
                      ? write
                      : CompletableFuture.completedFuture(state.fence().version() + 1);
                });
      }
    };
  }

  static StoreCollection logsNoDeletes(StoreCollection collection) {
    return ForwardingParts.withLog(
        collection,
        log ->
            new ForwardingParts.Log(log) {
              @Override
              public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
                return inner
                    .read(after, maxBytes, wait)
                    .thenApply(
                        batch ->
                            batch instanceof Data data
                                ? Data.of(withoutDeletes(data.changes()), data.position())
                                : batch);
              }

              private List<Change> withoutDeletes(List<Change> changes) {
                return changes.stream().filter(change -> !change.row().isTombstone()).toList();
              }
            });
  }

  /** Sets a record without comparing it first. */
  static Store setsWithoutComparing(Store store) {
    return ForwardingParts.withMetadata(
        store,
        records ->
            new ForwardingParts.Records(records) {
              @Override
              public CompletionStage<Boolean> compareAndSet(
                  String name, @Nullable Bytes expected, @Nullable Bytes next) {
                return inner.get(name).thenCompose(found -> inner.compareAndSet(name, found, next));
              }
            });
  }

  /** Gives the same token to every holder. */
  static Store restartsTokens(Store store) {
    return ForwardingParts.withLocks(
        store,
        locks ->
            new ForwardingParts.Leases(locks) {
              @Override
              public CompletionStage<LockResult> tryLockAll(
                  Set<Bytes> keys, Duration lease, Call call) {
                return inner
                    .tryLockAll(keys, lease, call)
                    .thenApply(
                        batch ->
                            LockResult.of(
                                batch.acquired().stream()
                                    .map(
                                        lock ->
                                            Lock.of(
                                                lock.space(),
                                                lock.key(),
                                                lock.owner() + " " + lock.token(),
                                                1,
                                                lock.expires()))
                                    .toList(),
                                batch.busy(),
                                batch.unknown()));
              }

              @Override
              public CompletionStage<Lock> renew(Lock lock, Duration lease, Call call) {
                return inner.renew(own(lock), lease, call);
              }

              @Override
              public CompletionStage<Void> release(Lock lock, Call call) {
                return inner.release(own(lock), call);
              }

              private Lock own(Lock lock) {
                int space = lock.owner().indexOf(' ');
                return Lock.of(
                    lock.space(),
                    lock.key(),
                    lock.owner().substring(0, space),
                    Long.parseLong(lock.owner().substring(space + 1)),
                    lock.expires());
              }
            });
  }

  /** Leaves a thread behind for each store that is opened. */
  static Store leaksAThread(Store store) {
    CountDownLatch never = new CountDownLatch(1);
    Thread thread =
        new Thread(
            () -> {
              try {
                never.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "leaked");
    thread.setDaemon(true);
    thread.start();
    return store;
  }

  /** Serves requests after it was closed. */
  static Store staysOpenWhenClosed(Store store) {
    return new ForwardingStore(store) {
      @Override
      public void close() {}
    };
  }

  static Store wrapping(Store store, UnaryOperator<StoreCollection> breaking) {
    return new ForwardingStore(store) {
      @Override
      protected StoreCollection wrap(StoreCollection collection) {
        return breaking.apply(collection);
      }
    };
  }
}
