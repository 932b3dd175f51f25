package dev.kvshift.testkit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.Usage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.CompletionStage;
import java.util.function.LongConsumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Parts of a store that forward every request, for broken drivers that change some. */
final class ForwardingParts {
  private ForwardingParts() {}

  static StoreCollection withGate(StoreCollection collection, UnaryOperator<Gate> breaking) {
    return new ForwardingCollection(collection) {
      @Override
      public Gate gate() {
        return breaking.apply(inner.gate());
      }
    };
  }

  static StoreCollection withLog(StoreCollection collection, UnaryOperator<ChangeSource> breaking) {
    return new ForwardingCollection(collection) {
      @Override
      public ChangeSource changes() {
        return breaking.apply(inner.changes());
      }
    };
  }

  static Store withMetadata(Store store, UnaryOperator<Metadata> breaking) {
    return new ForwardingStore(store) {
      @Override
      public Metadata metadata() {
        return breaking.apply(inner.metadata());
      }
    };
  }

  static Store withLocks(Store store, UnaryOperator<StoreLocks> breaking) {
    return new ForwardingStore(store) {
      @Override
      public StoreLocks locks(String space) {
        return breaking.apply(inner.locks(space));
      }
    };
  }

  static Store withLockGate(Store store, UnaryOperator<Gate> breaking) {
    return withLocks(
        store,
        locks ->
            new Leases(locks) {
              @Override
              public CompletionStage<Gate> gate() {
                return inner.gate().thenApply(breaking);
              }
            });
  }

  abstract static class Leader implements Gate {
    final Gate inner;

    Leader(Gate inner) {
      this.inner = inner;
    }

    @Override
    public CompletionStage<State> state() {
      return inner.state();
    }

    @Override
    public CompletionStage<Boolean> compareAndSet(State expected, State next) {
      return inner.compareAndSet(expected, next);
    }

    @Override
    public CompletionStage<Fence> fence(String attempt, FenceOptions options) {
      return inner.fence(attempt, options);
    }

    @Override
    public CompletionStage<Void> lift(String attempt) {
      return inner.lift(attempt);
    }

    @Override
    public CompletionStage<State> move(String attempt) {
      return inner.move(attempt);
    }

    @Override
    public CompletionStage<State> seal(long epoch) {
      return inner.seal(epoch);
    }

    @Override
    public CompletionStage<Row> reassert(StoreKey key, long atLeast) {
      return inner.reassert(key, atLeast);
    }

    @Override
    public CompletionStage<Void> applied(long version) {
      return inner.applied(version);
    }

    @Override
    public CompletionStage<List<Instance>> instances() {
      return inner.instances();
    }

    @Override
    public CompletionStage<Usage> usage(Instant since) {
      return inner.usage(since);
    }

    @Override
    public void listen(LongConsumer listener) {
      inner.listen(listener);
    }
  }

  abstract static class Log implements ChangeSource {
    final ChangeSource inner;

    Log(ChangeSource inner) {
      this.inner = inner;
    }

    @Override
    public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
      return inner.read(after, maxBytes, wait);
    }

    @Override
    public CompletionStage<String> logId(long position) {
      return inner.logId(position);
    }

    @Override
    public CompletionStage<Window> window() {
      return inner.window();
    }

    @Override
    public CompletionStage<Duration> consumed(String consumer, long upTo) {
      return inner.consumed(consumer, upTo);
    }

    @Override
    public CompletionStage<@Nullable Void> forget(String consumer) {
      return inner.forget(consumer);
    }
  }

  abstract static class Records implements Metadata {
    final Metadata inner;

    Records(Metadata inner) {
      this.inner = inner;
    }

    @Override
    public CompletionStage<@Nullable Bytes> get(String name) {
      return inner.get(name);
    }

    @Override
    public CompletionStage<SortedMap<String, Bytes>> list(String prefix, String after, int limit) {
      return inner.list(prefix, after, limit);
    }

    @Override
    public CompletionStage<Boolean> compareAndSet(
        String name, @Nullable Bytes expected, @Nullable Bytes next) {
      return inner.compareAndSet(name, expected, next);
    }
  }

  abstract static class Leases implements StoreLocks {
    final StoreLocks inner;

    Leases(StoreLocks inner) {
      this.inner = inner;
    }

    @Override
    public CompletionStage<LockResult> tryLockAll(Set<Bytes> keys, Duration lease, Call call) {
      return inner.tryLockAll(keys, lease, call);
    }

    @Override
    public CompletionStage<Lock> renew(Lock lock, Duration lease, Call call) {
      return inner.renew(lock, lease, call);
    }

    @Override
    public CompletionStage<Void> release(Lock lock, Call call) {
      return inner.release(lock, call);
    }

    @Override
    public CompletionStage<Long> version(Lock lock, long above, Call call) {
      return inner.version(lock, above, call);
    }

    @Override
    public CompletionStage<Boolean> isHeld(Lock lock, Call call) {
      return inner.isHeld(lock, call);
    }

    @Override
    public StoreLocks above(long floor) {
      return inner.above(floor);
    }

    @Override
    public CompletionStage<Gate> gate() {
      return inner.gate();
    }
  }
}
