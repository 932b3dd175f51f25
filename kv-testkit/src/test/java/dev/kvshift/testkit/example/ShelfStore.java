package dev.kvshift.testkit.example;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreLocks;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A minimal driver for a {@link Shelf}. */
final class ShelfStore implements Store {
  static final Set<Capability> CAPABILITIES =
      Set.of(
          Capability.EXPIRY,
          Capability.VERSIONED_WRITES,
          Capability.RANGES,
          Capability.LARGE_MAIN_KEYS,
          Capability.DROP);

  private static final Limits LIMITS =
      Limits.defaults()
          .withMaxMainBytes(65_529)
          .withMaxClusteringBytes(65_531)
          .withMaxValueBytes(1 << 20)
          .withMaxInFlight(1_000)
          .withTimeout(Duration.ofSeconds(10));

  private final Shelf shelf;
  private final VersionClock versions;
  private final Clock clock;
  private volatile boolean closed;

  ShelfStore(Shelf shelf, VersionClock versions, Clock clock) {
    this.shelf = shelf;
    this.versions = versions;
    this.clock = clock;
  }

  @Override
  public Set<Capability> capabilities() {
    return CAPABILITIES;
  }

  @Override
  public Limits limits() {
    return LIMITS;
  }

  @Override
  public String description() {
    return "shelf://" + shelf.name();
  }

  @Override
  public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
    return answer(
        () -> {
          CollectionRecord.requireName(name);
          return new ShelfCollection(this, name, layout, claim, shelf.board(name), versions, clock);
        });
  }

  @Override
  public CompletionStage<Void> drop(String name, long incarnation) {
    return this.<@Nullable Void>answer(
        () -> {
          if (incarnation == 1) {
            shelf.remove(name);
          }
          return null;
        });
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> report(InstanceReport report) {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(Capability.GATE, description()));
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> moveAll(Map<String, String> attempts) {
    return CompletableFuture.failedFuture(
        new KvException.UnsupportedCapability(Capability.FENCING, description()));
  }

  @Override
  public CompletionStage<Instant> serverTime() {
    return answer(clock::instant);
  }

  @Override
  public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
    throw unsupported(Capability.METADATA);
  }

  @Override
  public CompletionStage<CollectionRecord> restart(
      String name, Layout layout, Copy copy, Copy next) {
    throw unsupported(Capability.METADATA);
  }

  @Override
  public Metadata metadata() {
    throw unsupported(Capability.METADATA);
  }

  @Override
  public StoreLocks locks(String space) {
    throw unsupported(Capability.LOCKS);
  }

  @Override
  public void close() {
    closed = true;
  }

  KvException unsupported(Capability capability) {
    return new KvException.UnsupportedCapability(capability, description());
  }

  /** Runs a request on the calling thread; its errors fail the stage. */
  <T extends @Nullable Object> CompletionStage<T> answer(Supplier<T> request) {
    try {
      if (closed) {
        throw new KvException.Permanent(description() + " is closed: open it again");
      }
      return CompletableFuture.completedFuture(request.get());
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
  }
}
