package dev.kvshift.memory;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One open connection to an in-memory server. The executor of its options serves the requests, by
 * default on the calling thread.
 */
final class MemoryStore implements Store {
  private static final Limits LIMITS =
      Limits.defaults()
          .withMaxMainBytes(65_529)
          .withMaxClusteringBytes(65_531)
          .withMaxValueBytes(16 << 20)
          .withMaxInFlight(1_000)
          .withTimeout(Duration.ofSeconds(10));

  final MemoryServer server;
  final VersionClock versions;
  private final Set<Capability> capabilities;
  private final Executor executor;
  private final Faults faults;
  private final AtomicBoolean closed = new AtomicBoolean();

  MemoryStore(MemoryServer server, MemoryOptions options) {
    this.server = server;
    this.versions = options.versions();
    this.capabilities = options.capabilities();
    this.executor = options.executor();
    this.faults = options.faults();
  }

  @Override
  public Set<Capability> capabilities() {
    return capabilities;
  }

  @Override
  public Limits limits() {
    return LIMITS;
  }

  @Override
  public String description() {
    return "memory://" + server.name;
  }

  @Override
  public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
    return compose(
        () -> {
          CollectionRecord.requireName(name);
          if (layout.shape() == Shape.RANGE) {
            require(Capability.RANGES);
          }
          if (!has(Capability.METADATA)) {
            return CompletableFuture.completedFuture(
                new MemoryCollection(this, name, layout, claim, server.table(name, 1)));
          }
          return CollectionRecord.claim(metadata(), name, layout, claim)
              .thenApply(
                  record ->
                      new MemoryCollection(
                          this, name, layout, claim, server.table(name, record.incarnation())));
        });
  }

  @Override
  public CompletionStage<Void> drop(String name, long incarnation) {
    return compose(
        () -> {
          require(Capability.DROP);
          server.drop(name, incarnation);
          return CompletableFuture.completedFuture(null);
        });
  }

  @Override
  public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
    return compose(() -> CollectionRecord.activate(metadata(), name, copy, floor));
  }

  @Override
  public CompletionStage<CollectionRecord> restart(
      String name, Layout layout, Copy copy, Copy next) {
    return compose(() -> CollectionRecord.restart(metadata(), name, layout, copy, next));
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> report(InstanceReport report) {
    return supply(
        () -> {
          require(Capability.GATE);
          return server.report(report);
        });
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> moveAll(Map<String, String> attempts) {
    return supply(
        () -> {
          require(Capability.FENCING);
          return server.moveAll(attempts);
        });
  }

  @Override
  public CompletionStage<Instant> serverTime() {
    return compose(
        () ->
            faults.ping(
                () -> CompletableFuture.completedFuture(server.now()),
                Call.within(LIMITS.timeout())));
  }

  @Override
  public CompletionStage<Map<String, String>> facts() {
    return supply(() -> Map.of("server", "memory of this process"));
  }

  @Override
  public Metadata metadata() {
    require(Capability.METADATA);
    return new Metadata() {
      @Override
      public CompletionStage<@Nullable Bytes> get(String name) {
        return supply(() -> server.metadata.find(name));
      }

      @Override
      public CompletionStage<SortedMap<String, Bytes>> list(
          String prefix, String after, int limit) {
        return supply(() -> server.metadata.list(prefix, after, limit));
      }

      @Override
      public CompletionStage<Boolean> compareAndSet(
          String name, @Nullable Bytes expected, @Nullable Bytes next) {
        return supply(() -> server.metadata.compareAndSet(name, expected, next, MAX_RECORD_BYTES));
      }
    };
  }

  @Override
  public StoreLocks locks(String space) {
    require(Capability.LOCKS);
    return new MemoryLocks(this, server.space(space), null);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      server.release(this);
    }
  }

  boolean has(Capability capability) {
    return capabilities.contains(capability);
  }

  void require(Capability capability) {
    if (!has(capability)) {
      throw new KvException.UnsupportedCapability(capability, description());
    }
  }

  <T extends @Nullable Object> CompletionStage<T> supply(Supplier<T> body) {
    return compose(() -> CompletableFuture.completedFuture(body.get()));
  }

  /** Serves a read, or fails it if the store injects faults. */
  <T extends @Nullable Object> CompletionStage<T> read(Supplier<T> body, Call call) {
    return compose(() -> faults.read(() -> CompletableFuture.completedFuture(body.get()), call));
  }

  /** Serves a write, or fails it if the store injects faults. */
  <T extends @Nullable Object> CompletionStage<T> write(
      Supplier<? extends CompletionStage<T>> body, Call call) {
    return compose(() -> faults.write(body, call));
  }

  /** Runs the body on the executor while the store is open. Its errors become the stage's. */
  <T extends @Nullable Object> CompletionStage<T> compose(
      Supplier<? extends CompletionStage<? extends T>> body) {
    if (closed.get()) {
      return CompletableFuture.failedFuture(
          new KvException.Permanent(description() + " is closed: open it again"));
    }
    CompletableFuture<T> result = new CompletableFuture<>();
    executor.execute(
        () -> {
          try {
            body.get()
                .whenComplete(
                    (value, error) -> {
                      if (error == null) {
                        result.complete(value);
                      } else {
                        result.completeExceptionally(Futures.unwrap(error));
                      }
                    });
          } catch (Throwable e) { // otherwise the result would never complete
            result.completeExceptionally(e);
          }
        });
    return result;
  }
}
