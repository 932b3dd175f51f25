package dev.kvshift.model.shard;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.model.internal.encoding.Sharding;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The shard directory of a collection, for those who check or repair it. Reads of a single key do
 * not need the directory, so a collection whose directory has lost rows looks complete to them,
 * while ranges return nothing of those shards.
 *
 * <p>Nothing is cached. Safe for use by many threads; needs no closing. Requests fail with the
 * store's errors.
 */
public final class ShardDirectory {
  private final Sharding sharding;
  private final StoreCollection rows;

  private ShardDirectory(Sharding sharding, StoreCollection rows) {
    this.sharding = sharding;
    this.rows = rows;
  }

  /**
   * Opens the directory of a collection that was opened before.
   *
   * @param store a store with metadata: a sharded store, or any other
   * @return the directory, or null if the collection has none: it has no shard rule, or its store
   *     copes with large main keys
   */
  public static CompletionStage<@Nullable ShardDirectory> find(
      Store store, String collection, Layout layout) {
    Sharding sharding = Sharding.of(layout);
    String name = ShardedStore.directoryOf(collection);
    return sharding.isWhole()
        ? CompletableFuture.completedFuture(null)
        : CollectionRecord.read(store.metadata(), name)
            .thenCompose(
                record ->
                    record == null
                        ? CompletableFuture.completedFuture(null)
                        : store
                            .open(name, ShardedStore.DIRECTORY, Claim.NONE)
                            .thenApply(rows -> new ShardDirectory(sharding, rows)));
  }

  /** Returns the key of the directory's row for the shard of an entry. */
  public StoreKey rowOf(StoreKey entry) {
    Bytes shard = sharding.shardOf(entry.clustering());
    return StoreKey.of(entry.main(), shard);
  }

  /**
   * Returns whether ranges visit a shard: whether its row exists and does not expire.
   *
   * @param row the key of a directory row, see {@link #rowOf}
   */
  public CompletionStage<Boolean> lists(StoreKey row, Call call) {
    return rows.get(row, call).thenApply(ShardDirectory::isLasting);
  }

  /**
   * Writes the row of a shard. Its version is the present time, so that an erroneous earlier delete
   * does not hide it.
   *
   * @param row the key of a directory row, see {@link #rowOf}
   */
  public CompletionStage<Long> list(StoreKey row, Call call) {
    Mutation listed = Mutation.put(ShardedCollection.DIRECTORY_VALUE);
    return rows.write(row, listed.withVersion(VersionClock.ofProcess().nowMicros()), call);
  }

  private static boolean isLasting(@Nullable Row row) {
    return row != null && !row.isTombstone() && row.expiry() == null;
  }
}
