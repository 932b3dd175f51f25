package dev.kvshift.legacy.server.file;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreLocks;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The legacy store inside the process, without a server. Safe for use by many threads. */
public final class FileStore implements Store {
  private final Engine engine;
  private final Duration timeout;
  private final String description;
  private final Runnable release;
  private final Requests requests;
  private boolean closed;

  public FileStore(Engine engine, Duration timeout, String description, Runnable release) {
    this.engine = engine;
    this.timeout = timeout;
    this.description = description;
    this.release = release;
    this.requests = new Requests(description, timeout);
  }

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.complementOf(EnumSet.of(Capability.METADATA, Capability.USAGE));
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
    return requests
        .change(
            () ->
                claim.mayCreate()
                    ? engine.collection(CollectionRecord.requireName(name))
                    : CompletableFuture.completedFuture(
                        engine.servingCollection(CollectionRecord.requireName(name))))
        .thenApply(table -> collection(table, layout, claim));
  }

  @Override
  public CompletionStage<@Nullable Void> drop(String name, long incarnation) {
    return requests.change(() -> engine.drop(name, incarnation));
  }

  @Override
  public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
    return CompletableFuture.failedFuture(unsupported(Capability.METADATA));
  }

  @Override
  public CompletionStage<CollectionRecord> restart(
      String name, Layout layout, Copy copy, Copy next) {
    return CompletableFuture.failedFuture(unsupported(Capability.METADATA));
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> report(InstanceReport report) {
    return requests.change(() -> engine.report(report));
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> moveAll(Map<String, String> attempts) {
    return requests.change(() -> engine.moveAll(attempts));
  }

  @Override
  public CompletionStage<Instant> serverTime() {
    return requests.run(() -> CompletableFuture.completedFuture(engine.now()));
  }

  @Override
  public CompletionStage<Map<String, String>> facts() {
    return CompletableFuture.completedFuture(Map.of("server", "files in this process"));
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
        return requests.run(
            call,
            () -> {
              LegacyLimits.checkLocks(keys);
              OperationChecker.checkLease(lease);
              checker.checkDeadline(call);
              return engine.locks().tryLockAll(space, Set.copyOf(keys), lease, call);
            });
      }

      @Override
      public CompletionStage<Lock> renew(Lock lock, Duration lease, Call call) {
        return requests.run(
            call,
            () -> {
              OperationChecker.checkLease(lease);
              checker.checkDeadline(call);
              return engine.locks().renew(lock, lease, call);
            });
      }

      @Override
      public CompletionStage<@Nullable Void> release(Lock lock, Call call) {
        return requests.run(
            call,
            () -> {
              checker.checkDeadline(call);
              return engine.locks().release(lock, call);
            });
      }

      @Override
      public CompletionStage<Long> version(Lock lock, long above, Call call) {
        return requests.run(
            call,
            () -> {
              checker.checkDeadline(call);
              return engine.locks().version(lock, above, call);
            });
      }

      @Override
      public CompletionStage<Boolean> isHeld(Lock lock, Call call) {
        return requests.run(
            call,
            () -> {
              checker.checkDeadline(call);
              return engine.locks().isHeld(lock, call);
            });
      }

      @Override
      public CompletionStage<Gate> gate() {
        return requests.change(
            () ->
                engine
                    .locks()
                    .space(space)
                    .thenApply(table -> collection(table, Layout.point(), Claim.ACTIVE)));
      }
    };
  }

  private FileCollection collection(Table table, Layout layout, Claim claim) {
    return new FileCollection(
        requests,
        engine,
        table,
        layout,
        OperationChecker.of(table.name(), layout, limits()).withoutShards().claimed(claim));
  }

  private KvException unsupported(Capability capability) {
    return new KvException.UnsupportedCapability(capability, description);
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      requests.close();
      engine.forget(requests);
      release.run();
    }
  }
}
