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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** One collection of a {@link ShardedStore} that has a shard rule. */
final class ShardedCollection implements StoreCollection {
  /**
   * Version of every directory row. All writers write the same row at the same version, so the
   * write is idempotent and concurrent writers of a new shard need no coordination.
   */
  private static final long DIRECTORY_VERSION = 1;

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
    return Futures.<@Nullable Row>start(() -> unsharded(entries.get(sharded(key), call)));
  }

  /** Reads the rows of a shard together. If a key is wrong, each is read alone. */
  @Override
  public List<CompletionStage<@Nullable Row>> getAll(List<StoreKey> keys, Call call) {
    List<StoreKey> full;
    try {
      full = keys.stream().map(this::sharded).toList();
    } catch (KvException e) {
      return StoreCollection.super.getAll(keys, call);
    }
    return entries.getAll(full, call).stream().map(ShardedCollection::unsharded).toList();
  }

  private static CompletionStage<@Nullable Row> unsharded(CompletionStage<@Nullable Row> read) {
    return read.<@Nullable Row>thenApply(row -> row == null ? null : unsharded(row));
  }

  /**
   * Writes the entry, and before it the directory row of its shard unless that is known to exist.
   *
   * <p>The entry is sent only after the row was acknowledged: an acknowledged entry whose shard the
   * directory does not list would be lost to every range read. A delete needs no row if range reads
   * do not return tombstones.
   */
  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return Futures.start(
        () -> {
          StoreKey full = sharded(key);
          return mustBeListed(full, mutation)
              ? writeListed(full, mutation, call)
              : entries.write(full, mutation, call);
        });
  }

  /** Returns whether the directory row of a write's shard has to be written first. */
  private boolean mustBeListed(StoreKey full, Mutation mutation) {
    return (mutation.value() != null || showsTombstones) && !isKnown(full.main(), full.shard());
  }

  /**
   * Writes the entries of a shard together, after one directory row for all of them unless that is
   * known to exist. The directory rows of a main key are written together, too.
   */
  @Override
  public Map<StoreKey, CompletionStage<Long>> writeAll(
      Map<StoreKey, Mutation> mutations, Call call) {
    Map<StoreKey, CompletionStage<Long>> written = new LinkedHashMap<>();
    Map<StoreKey, Mutation> listed = new LinkedHashMap<>();
    Map<StoreKey, Map<StoreKey, Mutation>> unlisted = new LinkedHashMap<>();
    mutations.forEach(
        (key, mutation) -> {
          try {
            StoreKey full = sharded(key);
            Map<StoreKey, Mutation> beside = listed;
            if (mustBeListed(full, mutation)) {
              entries.check(full, mutation);
              StoreKey row = StoreKey.of(full.main(), full.shard());
              beside = unlisted.computeIfAbsent(row, absent -> new LinkedHashMap<>());
            }
            beside.put(full, mutation);
          } catch (KvException e) {
            written.put(key, CompletableFuture.failedFuture(e));
          }
        });
    entries.writeAll(listed, call).forEach((full, stage) -> written.put(unsharded(full), stage));
    Map<StoreKey, Mutation> rows = new LinkedHashMap<>();
    unlisted.keySet().forEach(row -> rows.put(row, directoryRow));
    directory
        .writeAll(rows, call)
        .forEach(
            (row, listing) ->
                written.putAll(
                    writeListed(row, listing, Objects.requireNonNull(unlisted.get(row)), call)));
    return written;
  }

  /** Writes the entries of a shard once its directory row was acknowledged. */
  private Map<StoreKey, CompletionStage<Long>> writeListed(
      StoreKey row, CompletionStage<Long> listing, Map<StoreKey, Mutation> mutations, Call call) {
    CompletionStage<Map<StoreKey, CompletionStage<Long>>> sent =
        listing.handle(
            (version, error) -> {
              if (error != null) {
                throw notSent(error);
              }
              addKnown(row.main(), row.clustering());
              return entries.writeAll(mutations, call);
            });
    Map<StoreKey, CompletionStage<Long>> written = new LinkedHashMap<>();
    mutations
        .keySet()
        .forEach(
            full ->
                written.put(
                    unsharded(full),
                    sent.thenCompose(all -> Objects.requireNonNull(all.get(full)))));
    return written;
  }

  /** Writes the directory row, then the entry. */
  private CompletionStage<Long> writeListed(StoreKey full, Mutation mutation, Call call) {
    entries.check(full, mutation);
    return directory
        .write(StoreKey.of(full.main(), full.shard()), directoryRow, call)
        .handle(
            (version, error) -> {
              if (error != null) {
                throw notSent(error);
              }
              addKnown(full.main(), full.shard());
              return entries.write(full, mutation, call);
            })
        .thenCompose(written -> written);
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return Futures.start(
        () -> {
          requireNoShard(shard);
          requireFitting(main, sharding.minBytes());
          return range.isEmpty()
              ? CompletableFuture.completedFuture(RowPage.of(List.of(), Stop.END, null))
              : new ShardWalk(this, main, range, limit, call).page();
        });
  }

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
                ScanPage.of(
                    page.rows().stream().map(ShardedCollection::unsharded).toList(), page.next()));
  }

  @Override
  public ChangeSource changes() {
    return new ChangesWithoutShards(entries.changes());
  }

  @Override
  public Gate gate() {
    return entries.gate();
  }

  /** Returns whether the entries have a gate, which every read must reach so that it can refuse. */
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

  void addKnown(Bytes main, Bytes shard) {
    known.add(this, main, shard);
  }

  @Nullable Bytes knownEnd(Bytes main, Direction direction) {
    return known.end(this, main, direction);
  }

  void setKnownEnd(Bytes main, Direction direction, Bytes shard) {
    known.setEnd(this, main, direction, shard);
  }

  /** Returns a row whose key has no shard, as callers see it. */
  static Row unsharded(Row row) {
    return row.withKey(unsharded(row.key()));
  }

  private static StoreKey unsharded(StoreKey full) {
    return StoreKey.of(full.main(), full.clustering());
  }

  /** Returns the key with its shard, as the inner store sees it. */
  private StoreKey sharded(StoreKey key) {
    requireNoShard(key.shard());
    Bytes shard = sharding.shardOf(key.clustering());
    requireFitting(key.main(), shard.size());
    return StoreKey.of(key.main(), shard, key.clustering());
  }

  private void requireFitting(Bytes main, int shardBytes) {
    if (main.size() + shardBytes > maxMainBytes) {
      throw new KvException.InvalidArgument(
          "collection "
              + name()
              + ": main part of "
              + main.size()
              + " bytes and shard of "
              + shardBytes
              + " bytes, the limit of both is "
              + maxMainBytes
              + ": make the main key shorter");
    }
  }

  private void requireNoShard(Bytes shard) {
    if (!shard.isEmpty()) {
      throw new KvException.InvalidArgument(
          "collection " + name() + " computes its shards itself: leave the shard empty");
    }
  }

  /**
   * Returns the error of a write whose directory row failed. The entry was never sent, so an
   * unknown outcome of the row is a certain outcome of the entry: not applied.
   */
  private KvException notSent(Throwable error) {
    Throwable cause = Futures.unwrap(error);
    if (cause instanceof KvException.UnknownOutcome || !(cause instanceof KvException known)) {
      return new KvException.Transient(
          "collection "
              + name()
              + ": the shard's directory row was not acknowledged, so the entry was not written:"
              + " try again",
          cause);
    }
    return known;
  }

  /** The changes of the entries, with keys as callers see them. */
  private record ChangesWithoutShards(ChangeSource source) implements ChangeSource {
    @Override
    public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
      return source
          .read(after, maxBytes, wait)
          .thenApply(
              batch ->
                  batch instanceof Data data
                      ? Data.of(
                          data.changes().stream()
                              .map(change -> Change.of(change.position(), unsharded(change.row())))
                              .toList(),
                          data.position())
                      : batch);
    }

    @Override
    public CompletionStage<String> logId(long position) {
      return source.logId(position);
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
