package dev.kvshift.testkit.fault;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.fault.FaultPlan.Kind;
import dev.kvshift.testkit.fault.FaultPlan.Request;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A store that fails as networks, servers and processes do, reproducibly, as a {@link FaultPlan}
 * decides.
 *
 * <p>The plan applies to reads, writes, ranges and scans; requests to the gate, the changes, the
 * metadata and the locks pass. Errors are honest: a write that fails with {@code Transient} was not
 * applied, and one that fails with {@code UnknownOutcome} was applied, will be, or never is. Safe
 * for use by many threads. Closing it closes the inner store.
 */
public final class FaultInjectingStore extends ForwardingStore {
  private static final int DELAY_MILLIS = 5;

  private final FaultPlan plan;
  private final Phaser late = new Phaser(1);
  private long requests;
  private long writes;
  private boolean crashed;

  private FaultInjectingStore(Store inner, FaultPlan plan) {
    super(inner);
    this.plan = plan;
  }

  /** Returns a store in front of another one, which is closed with it. */
  public static FaultInjectingStore around(Store inner, FaultPlan plan) {
    return new FaultInjectingStore(inner, plan);
  }

  /** Returns the number of writes requested so far. */
  public synchronized long writes() {
    return writes;
  }

  /** Returns whether the plan has crashed the process. */
  public synchronized boolean hasCrashed() {
    return crashed;
  }

  /** Waits until every {@link Fault#UNKNOWN_LATE} write is applied, for at most one minute. */
  public void awaitLateWrites() {
    try {
      late.awaitAdvanceInterruptibly(late.arrive(), Await.LONGEST.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (TimeoutException e) {
      throw new IllegalStateException("late writes were not applied within " + Await.LONGEST, e);
    }
  }

  @Override
  public String description() {
    return "faults in front of " + inner.description();
  }

  @Override
  protected StoreCollection wrap(StoreCollection collection) {
    return new FaultyCollection(collection);
  }

  private synchronized Fault decide(Kind kind, String collection, StoreKey key) {
    if (crashed) {
      throw new KvException.Permanent("the process has crashed: open another store");
    }
    requests++;
    if (kind == Kind.WRITE) {
      writes++;
    }
    Fault fault = plan.next(new Request(requests, writes, kind, collection, key));
    if (fault == Fault.CRASH_BEFORE || fault == Fault.CRASH_AFTER) {
      crashed = true;
    }
    return fault;
  }

  private final class FaultyCollection extends ForwardingCollection {
    FaultyCollection(StoreCollection inner) {
      super(inner);
    }

    @Override
    public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
      return FaultInjectingStore.this.<@Nullable Row>read(
          Kind.GET, name(), key, () -> inner.get(key, call));
    }

    @Override
    public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
      Supplier<CompletionStage<Long>> request = () -> inner.write(key, mutation, call);
      Fault fault;
      try {
        fault = decide(Kind.WRITE, name(), key);
      } catch (KvException e) {
        return CompletableFuture.failedFuture(e);
      }
      return switch (fault) {
        case NONE -> request.get();
        case DELAY -> later(request);
        case TRANSIENT -> failed(new KvException.Transient("injected: the write was not applied"));
        case UNKNOWN_NOT_APPLIED, CRASH_BEFORE -> failed(unknown());
        case UNKNOWN_APPLIED, CRASH_AFTER ->
            request
                .get()
                .handle((version, error) -> version)
                .thenCompose(done -> failed(unknown()));
        case UNKNOWN_LATE -> {
          late.register();
          later(
                  () ->
                      inner.write(
                          key, mutation, Call.within(Await.LONGEST).withEpoch(call.epoch())))
              .whenComplete((version, error) -> late.arriveAndDeregister());
          yield failed(unknown());
        }
      };
    }

    @Override
    public CompletionStage<RowPage> range(
        Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
      return read(
          Kind.RANGE,
          name(),
          StoreKey.of(main, shard, Bytes.empty()),
          () -> inner.range(main, shard, range, limit, call));
    }

    @Override
    public CompletionStage<ScanPage> scan(
        ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
      return read(
          Kind.SCAN,
          name(),
          StoreKey.of(Bytes.empty(), Bytes.empty()),
          () -> inner.scan(task, position, limit, call));
    }
  }

  private <T extends @Nullable Object> CompletionStage<T> read(
      Kind kind, String collection, StoreKey key, Supplier<CompletionStage<T>> request) {
    Fault fault;
    try {
      fault = decide(kind, collection, key);
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
    return switch (fault) {
      case NONE -> request.get();
      case DELAY -> later(request);
      default -> failed(new KvException.Transient("injected: nothing was read"));
    };
  }

  private static KvException unknown() {
    return new KvException.UnknownOutcome("injected: the write may have been applied");
  }

  private static <T extends @Nullable Object> CompletionStage<T> failed(KvException error) {
    return CompletableFuture.failedFuture(error);
  }

  private static <T extends @Nullable Object> CompletionStage<T> later(
      Supplier<CompletionStage<T>> request) {
    return Futures.after(Duration.ofMillis(DELAY_MILLIS)).thenCompose(waited -> request.get());
  }
}
