package dev.kvshift.scylla;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.api.Lock;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.scylla.internal.cql.Murmur3;
import dev.kvshift.scylla.internal.lock.LockKeeper;
import dev.kvshift.scylla.internal.read.PartitionReads;
import dev.kvshift.scylla.internal.read.RangeReader;
import dev.kvshift.scylla.internal.read.RowReader;
import dev.kvshift.scylla.internal.scan.Scanner;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.scylla.internal.session.ServerClock;
import dev.kvshift.scylla.internal.session.StoreTimer;
import dev.kvshift.scylla.internal.write.RowWriter;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A collection: one table, one cell per row. Checks requests, decides the version of each write,
 * and leaves the rest to the rooms below.
 */
final class ScyllaCollection implements StoreCollection {
  /** The lead over the clock up to which servers accept a version. */
  private static final Duration MAX_VERSION_AHEAD = Duration.ofDays(3);

  /**
   * An opened collection.
   *
   * @param claim the use that the caller intends
   */
  record Opened(String name, CollectionRecord record, Claim claim) {
    Shape shape() {
      return record.layout().shape();
    }
  }

  /** The parts that all collections of a store share. */
  record Shared(
      Requests requests,
      VersionClock clock,
      StoreClock serverClock,
      StoreTimer timer,
      LockKeeper locks) {}

  /** Access to the rows of one collection. */
  record Rows(RowReader reader, RangeReader ranges, RowWriter writer, Scanner scanner) {}

  private final String name;
  private final CollectionRecord record;
  private final Claim claim;
  private final Requests requests;
  private final VersionClock clock;
  private final StoreClock serverClock;
  private final LockKeeper locks;
  private final OperationChecker checker;
  private final Rows rows;
  private final PartitionReads partitions;

  ScyllaCollection(
      Opened opened,
      Shared shared,
      OperationChecker checker,
      Rows rows,
      PartitionReads partitions) {
    name = opened.name();
    record = opened.record();
    claim = opened.claim();
    requests = shared.requests();
    clock = shared.clock();
    serverClock = shared.serverClock();
    locks = shared.locks();
    this.checker = checker;
    this.rows = rows;
    this.partitions = partitions;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Layout layout() {
    return record.layout();
  }

  @Override
  public void check(StoreKey key, Mutation mutation) {
    checker.check(key, mutation);
    checkVersion(name, clock, mutation);
  }

  /** Checks the version that a write brings, if it brings one. */
  static void checkVersion(String name, VersionClock clock, Mutation mutation) {
    Long version = mutation.version();
    if (version == null) {
      return;
    }
    if (mutation.lock() != null) {
      throw new KvException.Permanent(
          "collection "
              + name
              + ": a write under a lock gets its version from the lock: pass no version");
    }
    long highest = clock.nowMicros() + TimeUnit.NANOSECONDS.toMicros(MAX_VERSION_AHEAD.toNanos());
    if (version == Long.MIN_VALUE || version > highest) {
      throw new KvException.Permanent(
          "collection "
              + name
              + ": version "
              + version
              + " is reserved or more than "
              + MAX_VERSION_AHEAD.toDays()
              + " days ahead of the clock: pass microseconds since 1970");
    }
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    try {
      checker.check(key);
      return rows.reader().get(key, call);
    } catch (Throwable e) { // as Futures.start, without a closure for each request
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Reads the rows of a partition together. If a key is wrong, each is read alone. */
  @Override
  public List<CompletionStage<@Nullable Row>> getAll(List<StoreKey> keys, Call call) {
    try {
      keys.forEach(checker::check);
    } catch (KvException e) {
      return StoreCollection.super.getAll(keys, call);
    }
    return layout().shape() == Shape.POINT
        ? StoreCollection.super.getAll(keys, call)
        : partitions.getAll(keys, call);
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return Futures.start(
        () -> {
          checker.requireWritable();
          check(key, mutation);
          Long version = mutation.version();
          if (version != null) {
            return rows.writer().write(key, mutation, version, call);
          }
          requireLive();
          Lock lock = mutation.lock();
          return lock == null
              ? writeLive(key, mutation, call)
              : ServerClock.require(serverClock, call)
                  .thenCompose(right -> writeLocked(key, mutation, lock, call));
        });
  }

  /** Writes the rows of a partition together, unless one of them is more than a row to send. */
  @Override
  public Map<StoreKey, CompletionStage<Long>> writeAll(
      Map<StoreKey, Mutation> mutations, Call call) {
    Map<StoreKey, Mutation> versioned =
        layout().shape() == Shape.POINT ? null : versionedNow(mutations);
    return versioned == null
        ? StoreCollection.super.writeAll(mutations, call)
        : rows.writer().writeAll(versioned, call);
  }

  /**
   * Returns checked writes with the versions that they get now. Returns null if one of them is
   * wrong, is under a lock or has to wait for its version: each then goes its own way.
   */
  private @Nullable Map<StoreKey, Mutation> versionedNow(Map<StoreKey, Mutation> mutations) {
    Map<StoreKey, Mutation> versioned = new LinkedHashMap<>();
    try {
      checker.requireWritable();
      mutations.forEach(this::check);
      for (Map.Entry<StoreKey, Mutation> write : mutations.entrySet()) {
        Mutation mutation = write.getValue();
        if (mutation.version() == null) {
          requireLive();
          long version =
              mutation.lock() == null ? serverClock.drawNow(record.floor()) : StoreClock.NOT_NOW;
          if (version == StoreClock.NOT_NOW) {
            return null;
          }
          mutation = mutation.withVersion(version);
        }
        versioned.put(write.getKey(), mutation);
      }
      return versioned;
    } catch (KvException e) { // and its own write meets it again
      return null;
    }
  }

  private void requireLive() {
    if (claim.kind() != Claim.Kind.ACTIVE) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " was opened for a migration, in which every write has a version: open it as ACTIVE"
              + " to write without one");
    }
  }

  /**
   * Writes at a version above the floor of the migration that filled the collection. Those below it
   * belong to the old store.
   */
  private CompletionStage<Long> writeLive(StoreKey key, Mutation mutation, Call call) {
    long version = serverClock.drawNow(record.floor());
    return version != StoreClock.NOT_NOW
        ? rows.writer().write(key, mutation, version, call)
        : serverClock
            .draw(record.floor(), call)
            .thenCompose(drawn -> rows.writer().write(key, mutation, drawn, call));
  }

  /**
   * Writes under a lock. The lock must be the last one granted before the write is sent and, for an
   * acknowledgement, still after the answer. The version is among the lock's own and above all that
   * could hide it: the row's version, even of an entry that has expired, and every version that
   * this process has issued or seen, since CQL shows no delete.
   */
  private CompletionStage<Long> writeLocked(StoreKey key, Mutation mutation, Lock lock, Call call) {
    long floor = record.floor();
    return locks
        .requireHeld(lock, call)
        .thenCombine(rows.reader().version(key, call), (held, version) -> version.orElse(floor))
        .thenCompose(
            version -> {
              long above = Math.max(Math.max(version, floor), clock.last());
              return locks.version(lock, above, call);
            })
        .thenCompose(version -> rows.writer().write(key, mutation, version, call))
        .thenCompose(version -> requireStillHeld(lock, version, call));
  }

  private CompletionStage<Long> requireStillHeld(Lock lock, long version, Call call) {
    clock.observe(version);
    return locks
        .isHeld(lock, call)
        .handle(
            (held, error) -> {
              if (error != null || !held) {
                throw new KvException.UnknownOutcome(
                    "collection "
                        + name
                        + ": the lock was lost during the write, or could not be read after it; the"
                        + " write may have been applied: take the lock and read the key again",
                    error);
              }
              return version;
            });
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return Futures.start(
        () -> {
          checker.checkRange(main, shard);
          return rows.ranges().read(main, shard, range, limit, call);
        });
  }

  @Override
  public long token(StoreKey key) {
    return layout().shape() == Shape.POINT
        ? Murmur3.token(key.main())
        : Murmur3.token(key.main(), key.shard());
  }

  @Override
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
    return CompletableFuture.completedFuture(
        Scanner.tasks(atLeast, requests.session().getMetadata().getNodes().size()));
  }

  @Override
  public CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    return Futures.start(() -> rows.scanner().read(task, position, limit, call));
  }

  @Override
  public ChangeSource changes() {
    throw unsupported(Capability.CHANGE_SOURCE);
  }

  @Override
  public Gate gate() {
    throw unsupported(Capability.GATE);
  }

  private KvException unsupported(Capability capability) {
    return new KvException.UnsupportedCapability(capability, requests.settings().toString());
  }
}
