package dev.kvshift.scylla;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.api.Lock;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.scylla.CollectionStatements.RowWrite;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One collection: one table, one cell a row. */
final class ScyllaCollection implements StoreCollection {
  /** How much longer than its entry a cell lives, so that only readers decide what has expired. */
  static final Duration TTL_MARGIN = Duration.ofMinutes(1);

  /** An entry that lives longer is collected by nobody: servers cap the time to live. */
  static final Duration MAX_LEFT = Duration.ofDays(3_660);

  /** How far ahead of the clock servers accept a version. */
  static final Duration MAX_VERSION_AHEAD = Duration.ofDays(3);

  private final String name;
  private final String whatWrite;
  private final CollectionRecord record;
  private final Claim claim;
  private final CollectionStatements statements;
  private final Requests requests;
  private final Limits limits;
  private final VersionClock clock;
  private final Skew skew;
  private final LockKeeper locks;
  private final @Nullable Chunks chunks;
  private final @Nullable PartitionWrites partitions;
  private final RowReader reader;
  private final RangeReader ranges;
  private final Scanner scanner;
  private volatile boolean isPastFloor;

  ScyllaCollection(
      String name,
      CollectionRecord record,
      Claim claim,
      CollectionStatements statements,
      @Nullable Chunks chunks,
      RowReader reader,
      Requests requests,
      Limits limits,
      VersionClock clock,
      Skew skew,
      LockKeeper locks) {
    this.name = name;
    whatWrite = "a write to collection " + name;
    this.record = record;
    this.claim = claim;
    this.statements = statements;
    this.requests = requests;
    this.limits = limits;
    this.clock = clock;
    this.skew = skew;
    this.locks = locks;
    this.chunks = chunks;
    this.reader = reader;
    partitions =
        record.layout().shape() == Shape.RANGE
            ? new PartitionWrites(whatWrite, statements, requests, System::nanoTime, skew::after)
            : null;
    ranges = new RangeReader(name, statements, requests, reader);
    scanner = new Scanner(name, record.layout().shape(), statements, requests, reader);
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
    checkKey(key);
    checkMutation(mutation);
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    try {
      checkKey(key);
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
    return reader.get(key, call);
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    try {
      checkKey(key);
      checkMutation(mutation);
      Lock lock = mutation.lock();
      if (lock != null) {
        return writeLocked(key, mutation, lock, call);
      }
      Long version = mutation.version();
      if (version != null) {
        return send(key, mutation, version, call);
      }
      requireLive();
      skew.require();
      return isPastFloor
          ? send(key, mutation, clock.next(), call)
          : awaitFloor(call).thenCompose(passed -> send(key, mutation, clock.next(), call));
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /**
   * A write under a lock: the lock is the last one granted, before and, for an acknowledgement,
   * after it; the version lies within the lock's range and above the row's.
   */
  private CompletionStage<Long> writeLocked(StoreKey key, Mutation mutation, Lock lock, Call call) {
    requireLive();
    skew.require();
    long floor = record.floor() + TimeUnit.NANOSECONDS.toMicros(VersionClock.SKEW_LIMIT.toNanos());
    return locks
        .requireHeld(lock, call)
        .thenCombine(reader.cell(key, call), (held, cell) -> cell == null ? 0 : cell.version())
        .thenCompose(
            there -> send(key, mutation, locks.version(lock, Math.max(there, floor)), call))
        .thenCompose(version -> stillLocked(lock, version, call));
  }

  private CompletionStage<Long> stillLocked(Lock lock, long version, Call call) {
    clock.observe(version);
    return locks
        .isHeld(lock, call)
        .handle(
            (held, error) -> {
              if (error != null || !held) {
                throw new KvException.UnknownOutcome(
                    "collection "
                        + name
                        + ": the lock was lost while the write was under way, or could not be read"
                        + " afterwards: take it again and read again",
                    error);
              }
              return version;
            });
  }

  private void requireLive() {
    if (claim.kind() != Claim.Kind.ACTIVE) {
      throw new KvException.Permanent(
          "collection "
              + name
              + " was opened for a migration, which gives every write its version: open it as"
              + " ACTIVE to write without");
    }
  }

  /** Versions of this process's own lie above the floor, once its clock has passed that. */
  private CompletionStage<Void> awaitFloor(Call call) {
    long early =
        record.floor()
            + TimeUnit.NANOSECONDS.toMicros(VersionClock.SKEW_LIMIT.toNanos())
            - clock.nowMicros();
    if (TimeUnit.MICROSECONDS.toNanos(early) > call.remaining().toNanos()) {
      throw new KvException.Transient(
          "collection "
              + name
              + " takes writes from its migration's floor on, in "
              + TimeUnit.MICROSECONDS.toMillis(early)
              + " ms, after the deadline: nothing was written, try again");
    }
    return clock.awaitPast(record.floor()).thenRun(() -> isPastFloor = true);
  }

  private CompletionStage<Long> send(StoreKey key, Mutation mutation, long version, Call call) {
    Instant expiry = mutation.expiry();
    Bytes value = mutation.value();
    long expiryMillis = expiry == null ? 0 : expiry.toEpochMilli();
    long nowMillis = expiry == null ? 0 : TimeUnit.MICROSECONDS.toMillis(clock.nowMicros());
    long leftMillis = expiryMillis - nowMillis;
    if (value == null || leftMillis < -VersionClock.SKEW_LIMIT.toMillis()) {
      return sendRow(new RowWrite(key, version, 0, null, call));
    }
    long collectedAt = leftMillis > MAX_LEFT.toMillis() ? 0 : collectedAt(expiryMillis);
    if (Cell.HEADER_BYTES + value.size() <= requests.settings().maxCellBytes()) {
      return sendRow(
          new RowWrite(key, version, collectedAt, Cell.whole(value, expiryMillis), call));
    }
    if (chunks == null) {
      throw tooLong("value", value.size(), requests.settings().maxCellBytes() - Cell.HEADER_BYTES);
    }
    Chunks.Head head = chunks.head(key, version, value);
    return chunks
        .write(key, version, head, value, collectedAt, call)
        .thenCompose(
            written ->
                sendRow(
                    new RowWrite(
                        key, version, collectedAt, Cell.chunked(head, expiryMillis), call)));
  }

  private CompletionStage<Long> sendRow(RowWrite row) {
    if (partitions != null) {
      return partitions.write(row);
    }
    long version = row.version();
    return requests.write(whatWrite, statements.row(row), row.call(), written -> version);
  }

  /** Returns the second of the expiry and a margin, whenever the write is sent. */
  private static long collectedAt(long expiryMillis) {
    return expiryMillis == 0
        ? 0
        : TimeUnit.MILLISECONDS.toSeconds(expiryMillis + TimeUnit.SECONDS.toMillis(1) - 1)
            + TTL_MARGIN.toSeconds();
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    try {
      requireRanges();
      checkMain(main, shard);
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
    return ranges.read(main, shard, range, limit, call);
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
    try {
      return scanner.read(task, position, limit, call);
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
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

  private void requireRanges() {
    if (layout().shape() != Shape.RANGE) {
      throw new KvException.InvalidArgument(
          "collection " + name + " is a point collection: read it by its keys");
    }
  }

  private void checkKey(StoreKey key) {
    checkMain(key.main(), key.shard());
    int clustering = key.clustering().size();
    if (layout().shape() == Shape.POINT && (clustering > 0 || !key.shard().isEmpty())) {
      throw new KvException.InvalidArgument(
          "collection " + name + " is a point collection: leave shard and clustering empty");
    }
    if (clustering > limits.maxClusteringBytes()) {
      throw tooLong("clustering part", clustering, limits.maxClusteringBytes());
    }
  }

  private void checkMain(Bytes main, Bytes shard) {
    if (layout().shape() == Shape.POINT && main.isEmpty()) {
      throw new KvException.InvalidArgument(
          "a key of point collection " + name + " is empty: give at least one byte");
    }
    if (main.size() + shard.size() > limits.maxMainBytes()) {
      throw tooLong("main part", main.size() + shard.size(), limits.maxMainBytes());
    }
  }

  private void checkMutation(Mutation mutation) {
    Bytes value = mutation.value();
    if (value != null && value.size() > limits.maxValueBytes()) {
      throw tooLong("value", value.size(), limits.maxValueBytes());
    }
    if (mutation.lock() != null && mutation.version() != null) {
      throw new KvException.Permanent(
          "collection " + name + ": a write under a lock takes its version from it: give none");
    }
    Long version = mutation.version();
    if (version != null
        && (version == Long.MIN_VALUE
            || version
                > clock.nowMicros() + TimeUnit.NANOSECONDS.toMicros(MAX_VERSION_AHEAD.toNanos()))) {
      throw new KvException.Permanent(
          "collection "
              + name
              + ": version "
              + version
              + " lies more than "
              + MAX_VERSION_AHEAD.toDays()
              + " days ahead, or is reserved: give microseconds since 1970");
    }
  }

  private KvException tooLong(String what, int size, int limit) {
    return new KvException.InvalidArgument(
        "collection "
            + name
            + ": "
            + what
            + " of "
            + size
            + " bytes, the limit is "
            + limit
            + ": make it shorter");
  }
}
