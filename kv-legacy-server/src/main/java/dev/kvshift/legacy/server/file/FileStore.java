package dev.kvshift.legacy.server.file;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreLocks;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The legacy store inside the process, without a server. Safe for use by many threads. */
public final class FileStore implements Store {
  private final Engine engine;
  private final Duration timeout;
  private final String description;
  private final Runnable release;
  private final InFlight inFlight;
  private volatile boolean closed;

  public FileStore(Engine engine, Duration timeout, String description, Runnable release) {
    this.engine = engine;
    this.timeout = timeout;
    this.description = description;
    this.release = release;
    this.inFlight = new InFlight(description);
  }

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.complementOf(EnumSet.of(Capability.METADATA));
  }

  @Override
  public Limits limits() {
    return LegacyLimits.of(timeout, LegacyLimits.MAX_IN_FLIGHT);
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
    return change(() -> engine.collection(CollectionRecord.requireName(name)))
        .thenApply(table -> new FileCollection(this, engine, table, layout));
  }

  @Override
  public CompletionStage<@Nullable Void> drop(String name, long incarnation) {
    return change(() -> engine.drop(name, incarnation));
  }

  @Override
  public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
    return CompletableFuture.failedFuture(unsupported(Capability.METADATA));
  }

  @Override
  public CompletionStage<CollectionRecord> restart(String name, Copy copy, Copy next) {
    return CompletableFuture.failedFuture(unsupported(Capability.METADATA));
  }

  @Override
  public CompletionStage<Instant> serverTime() {
    return run(() -> CompletableFuture.completedFuture(engine.now()));
  }

  @Override
  public Metadata metadata() {
    throw unsupported(Capability.METADATA);
  }

  @Override
  public StoreLocks locks(String space) {
    OperationChecker checker = OperationChecker.of("locks:" + space, Layout.point(), limits());
    return new StoreLocks() {
      @Override
      public CompletionStage<LockResult> tryLockAll(Set<Bytes> keys, Duration lease, Call call) {
        return run(
            call,
            () -> {
              OperationChecker.checkLocks(keys, limits());
              OperationChecker.checkLease(lease);
              checker.checkDeadline(call);
              return engine.locks().tryLockAll(space, Set.copyOf(keys), lease, call);
            });
      }

      @Override
      public CompletionStage<Lock> renew(Lock lock, Duration lease, Call call) {
        return run(
            call,
            () -> {
              OperationChecker.checkLease(lease);
              checker.checkDeadline(call);
              return engine.locks().renew(lock, lease, call);
            });
      }

      @Override
      public CompletionStage<@Nullable Void> release(Lock lock, Call call) {
        return run(
            call,
            () -> {
              checker.checkDeadline(call);
              return engine.locks().release(lock, call);
            });
      }

      @Override
      public CompletionStage<Gate> gate() {
        return change(
            () ->
                engine
                    .locks()
                    .space(space)
                    .thenApply(
                        table ->
                            new FileCollection(FileStore.this, engine, table, Layout.point())));
      }
    };
  }

  KvException unsupported(Capability capability) {
    return new KvException.UnsupportedCapability(capability, description);
  }

  /** Runs an operation with the deadline of a call. Whatever it throws fails the stage. */
  <T extends @Nullable Object> CompletionStage<T> run(
      Call call, Supplier<CompletableFuture<T>> operation) {
    return run(() -> inFlight.track(operation.get(), call.deadlineNanos(), true));
  }

  /** Runs an operation that has no call, with the time-out of the store. */
  <T extends @Nullable Object> CompletionStage<T> change(Supplier<CompletableFuture<T>> operation) {
    return run(Call.within(timeout), operation);
  }

  /** Runs a read that may wait for a time before its time-out begins. */
  <T extends @Nullable Object> CompletionStage<T> patiently(
      Duration wait, Supplier<CompletableFuture<T>> operation) {
    return run(
        () ->
            inFlight.track(
                operation.get(), Call.within(timeout.plus(wait)).deadlineNanos(), false));
  }

  /** Runs an operation without a deadline. Whatever it throws fails the stage. */
  <T extends @Nullable Object> CompletionStage<T> run(Supplier<CompletableFuture<T>> operation) {
    return Futures.start(
        () -> {
          if (closed) {
            throw new KvException.Permanent(description + " is closed: open it again");
          }
          return operation.get();
        });
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      inFlight.close();
      release.run();
    }
  }
}
