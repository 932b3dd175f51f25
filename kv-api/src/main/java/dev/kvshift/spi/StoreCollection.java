package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One collection of a store, asynchronous and versioned.
 *
 * <p>Safe for use by many threads. A stage fails only with a {@link KvException}: {@code Transient}
 * and {@code Permanent} if certainly nothing was applied, {@code UnknownOutcome} if a write may
 * have been. It ends by its call's deadline, on any thread: callers neither block nor compute much
 * in an action that depends on it. Limits are checked before anything is sent. A request that the
 * store's {@link Store#capabilities()} leave out fails with {@code UnsupportedCapability}. Closing
 * the store closes its collections: requests in flight then end with one of these errors, later
 * ones with {@code Permanent}.
 */
public interface StoreCollection {
  /** Returns the collection's name. */
  String name();

  /** Returns the collection's layout. */
  Layout layout();

  /**
   * Checks a write without sending anything: local, and by its key and mutation alone. This is the
   * only call that may mean "this store can never hold that". An error of {@link #write} never
   * does, because a permission, a full disk or a schema can be fixed. A key alone is checked with
   * {@link Mutation#delete()}.
   *
   * @throws KvException.InvalidArgument if this collection can never hold the row
   */
  void check(StoreKey key, Mutation mutation);

  /**
   * Reads one row.
   *
   * @return the row; null if there is none; a tombstone if the store returns them
   */
  CompletionStage<@Nullable Row> get(StoreKey key, Call call);

  /**
   * Reads several rows, all at once; the caller bounds their number. Each ends as {@link #get} ends
   * for its key alone, whatever becomes of the others. A store overrides this if it can read rows
   * of one main key and shard together.
   *
   * @param keys in any order; a key may occur more than once
   * @return the rows' stages, in the order of the keys
   */
  default List<CompletionStage<@Nullable Row>> getAll(List<StoreKey> keys, Call call) {
    List<CompletionStage<@Nullable Row>> rows = new ArrayList<>(keys.size());
    for (StoreKey key : keys) {
      rows.add(Futures.<@Nullable Row>start(() -> get(key, call)));
    }
    return rows;
  }

  /**
   * Writes one row. A write with a version has no effect if the store holds a row of higher {@link
   * Row#PRECEDENCE}; that is a success, so the write is safe to repeat.
   *
   * @return the version of the write: its own, or the one that the store has issued
   */
  CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call);

  /**
   * Writes several rows, all at once; the caller bounds their number. Each ends as {@link #write}
   * ends for its key alone, with a version and an outcome of its own, whatever becomes of the
   * others: the call is not atomic. A store overrides this if it can write rows of one main key and
   * shard together.
   *
   * @return the stage of each key
   */
  default Map<StoreKey, CompletionStage<Long>> writeAll(
      Map<StoreKey, Mutation> mutations, Call call) {
    Map<StoreKey, CompletionStage<Long>> written = new LinkedHashMap<>();
    mutations.forEach(
        (key, mutation) -> written.put(key, Futures.start(() -> write(key, mutation, call))));
    return written;
  }

  /** Reads one page of a range of one main key and shard. Range collections only. */
  CompletionStage<RowPage> range(Bytes main, Bytes shard, Range range, PageLimit limit, Call call);

  /**
   * Returns the token of a row: the store's hash of the partition key, by which scans are divided.
   *
   * @throws KvException.UnsupportedCapability without {@link Capability#SCAN}
   */
  long token(StoreKey key);

  /** Returns tasks that together scan everything; at least {@code atLeast} if the store can. */
  CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call);

  /**
   * Reads one page of a scan, each row with its own version and expiry. The scan is not a snapshot:
   * a row is returned as it was at some moment between the start of the task and the page. Scans
   * are for the runner, and no gate refuses them.
   *
   * @param position the position that the last page returned; null to begin
   */
  CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call);

  /**
   * Returns the collection's committed changes; {@link Capability#CHANGE_SOURCE}. They are for the
   * runner, and no gate refuses them.
   */
  ChangeSource changes();

  /** Returns the collection's gate; {@link Capability#GATE}. */
  Gate gate();
}
