package dev.kvshift.model.shard;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.model.internal.encoding.Sharding;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** One collection of a {@link ShardedStore} that has a shard rule. */
final class ShardedCollection implements StoreCollection {
  /** All directory rows are the same write, at whatever time and by whichever writer. */
  static final long DIRECTORY_VERSION = 1;

  static final Bytes DIRECTORY_VALUE = Bytes.of((byte) 1);

  private final StoreCollection entries;
  private final StoreCollection directory;
  private final Sharding sharding;
  private final KnownShards known;
  private final int maxMainBytes;
  private final boolean showsTombstones;
  private final boolean isGated;
  private final Mutation directoryRow;

  ShardedCollection(
      StoreCollection entries,
      StoreCollection directory,
      Sharding sharding,
      KnownShards known,
      Limits limits,
      Set<Capability> capabilities) {
    this.entries = entries;
    this.directory = directory;
    this.sharding = sharding;
    this.known = known;
    this.maxMainBytes = limits.maxMainBytes();
    this.showsTombstones = capabilities.contains(Capability.TOMBSTONE_READS);
    this.isGated = capabilities.contains(Capability.GATE);
    Mutation row = Mutation.put(DIRECTORY_VALUE);
    this.directoryRow =
        capabilities.contains(Capability.VERSIONED_WRITES)
            ? row.withVersion(DIRECTORY_VERSION)
            : row;
  }

  @Override
  public String name() {
    return entries.name();
  }

  @Override
  public Layout layout() {
    return entries.layout();
  }

  @Override
  public void check(StoreKey key, Mutation mutation) {
    entries.check(sharded(key), mutation);
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    try {
      return entries.get(sharded(key), call).thenApply(row -> row == null ? null : stripped(row));
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /**
   * Writes the directory row of the entry's shard where it is not known, and the entry once that is
   * acknowledged. A delete needs no row where range reads do not show it.
   */
  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    StoreKey full;
    try {
      full = sharded(key);
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
    boolean listed = mutation.value() != null || showsTombstones;
    if (!listed || isKnown(full.main(), full.shard())) {
      return entries.write(full, mutation, call);
    }
    return directory
        .write(StoreKey.of(full.main(), full.shard()), directoryRow, call)
        .handle(
            (version, error) -> {
              if (error != null) {
                throw notSent(error);
              }
              know(full.main(), full.shard());
              return entries.write(full, mutation, call);
            })
        .thenCompose(written -> written);
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    if (!shard.isEmpty()) {
      return CompletableFuture.failedFuture(shardGiven());
    }
    try {
      requireFitting(main, sharding.leastBytes());
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
    if (range.isEmpty()) {
      return CompletableFuture.completedFuture(new RowPage(List.of(), Stop.END, null));
    }
    return new ShardWalk(this, main, range, limit, call).page();
  }

  /** Places the row in its shard first. */
  @Override
  public long token(StoreKey key) {
    return entries.token(sharded(key));
  }

  @Override
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
    return entries.scanTasks(atLeast, call);
  }

  @Override
  public CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    return entries
        .scan(task, position, limit, call)
        .thenApply(
            page ->
                new ScanPage(
                    page.rows().stream().map(ShardedCollection::stripped).toList(), page.next()));
  }

  @Override
  public ChangeSource changes() {
    return new UnshardedChanges(entries.changes());
  }

  @Override
  public Gate gate() {
    return entries.gate();
  }

  /** Returns whether reads must reach the entries, whose gate may refuse them. */
  boolean isGated() {
    return isGated;
  }

  Sharding sharding() {
    return sharding;
  }

  StoreCollection entries() {
    return entries;
  }

  StoreCollection directory() {
    return directory;
  }

  boolean isKnown(Bytes main, Bytes shard) {
    return known.contains(this, main, shard);
  }

  void know(Bytes main, Bytes shard) {
    known.add(this, main, shard);
  }

  @Nullable Bytes knownEnd(Bytes main, Direction direction) {
    return known.end(this, main, direction);
  }

  void knowEnd(Bytes main, Direction direction, Bytes shard) {
    known.setEnd(this, main, direction, shard);
  }

  static Row stripped(Row row) {
    return row.withKey(StoreKey.of(row.key().main(), row.key().clustering()));
  }

  private StoreKey sharded(StoreKey key) {
    if (!key.shard().isEmpty()) {
      throw shardGiven();
    }
    Bytes shard = sharding.shardOf(key.clustering());
    requireFitting(key.main(), shard.size());
    return new StoreKey(key.main(), shard, key.clustering());
  }

  private void requireFitting(Bytes main, int shardBytes) {
    if (main.size() + shardBytes > maxMainBytes) {
      throw new KvException.InvalidArgument(
          "collection "
              + name()
              + ": main part of "
              + main.size()
              + " bytes with a shard of "
              + shardBytes
              + ", the limit of both is "
              + maxMainBytes
              + ": make them shorter");
    }
  }

  private KvException shardGiven() {
    return new KvException.InvalidArgument(
        "collection " + name() + " computes its shards itself: leave the shard empty");
  }

  /** The entry was not sent, so that whatever is unknown of the row is certain of the entry. */
  private KvException notSent(Throwable error) {
    Throwable cause = Futures.unwrap(error);
    if (cause instanceof KvException.UnknownOutcome || !(cause instanceof KvException known)) {
      return new KvException.Transient(
          "collection "
              + name()
              + ": the shard's directory row was not acknowledged and the entry not written: try"
              + " again",
          cause);
    }
    return known;
  }

  /** Changes with their shards taken off. */
  private record UnshardedChanges(ChangeSource source) implements ChangeSource {
    @Override
    public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
      return source
          .read(after, maxBytes, wait)
          .thenApply(
              batch ->
                  batch instanceof Data data
                      ? new Data(
                          data.changes().stream()
                              .map(change -> new Change(change.position(), stripped(change.row())))
                              .toList(),
                          data.position())
                      : batch);
    }

    @Override
    public CompletionStage<Window> window() {
      return source.window();
    }

    @Override
    public CompletionStage<Duration> consumed(String consumer, long upTo) {
      return source.consumed(consumer, upTo);
    }

    @Override
    public CompletionStage<@Nullable Void> forget(String consumer) {
      return source.forget(consumer);
    }
  }
}
