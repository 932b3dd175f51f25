package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One collection of a store, asynchronous and versioned.
 *
 * <p>Safe for use by many threads. A stage fails only with a {@link KvException}: {@code Transient}
 * and {@code Permanent} where certainly nothing was applied, {@code UnknownOutcome} where a write
 * may have been, and at its call's deadline at the latest. Limits are checked before anything is
 * sent. What the store's {@link Store#capabilities()} leave out fails with {@code
 * UnsupportedCapability}. Closing the store closes its collections: what is in flight then ends
 * with one of these errors, what comes later with {@code Permanent}.
 */
public interface StoreCollection {
  /** Returns the collection's name. */
  String name();

  /** Returns the collection's layout. */
  Layout layout();

  /**
   * Checks a write without sending anything: local, and by its key and mutation alone. This is the
   * only thing that may mean "this store can never hold that"; an error of {@link #write} never
   * does, since a permission, a full disk or a schema can be mended. A key alone is checked with
   * {@link Mutation#delete()}.
   *
   * @throws KvException.InvalidArgument if this collection can never hold the row
   */
  void check(StoreKey key, Mutation mutation);

  /**
   * Reads one row.
   *
   * @return the row; null where there is none; a tombstone where the store keeps them
   */
  CompletionStage<@Nullable Row> get(StoreKey key, Call call);

  /**
   * Writes one row. With a version, the write stays without effect where the store holds a row of
   * higher {@link Row#PRECEDENCE}; that is a success, and makes the write safe to repeat.
   *
   * @return the version of the write: its own, or the one that the store has drawn
   */
  CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call);

  /** Reads one page of a range of one main key and shard. Range collections only. */
  CompletionStage<RowPage> range(Bytes main, Bytes shard, Range range, PageLimit limit, Call call);

  /**
   * Returns where the store places a row: its hash of the partition key, by which scans are cut.
   *
   * @throws KvException.UnsupportedCapability without {@link Capability#SCAN}
   */
  long token(StoreKey key);

  /** Returns tasks that together scan everything, at least {@code atLeast} where the store can. */
  CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call);

  /**
   * Reads one page of a scan. Each row comes with its own version and expiry; the scan is no
   * snapshot: a row is given as it was at some moment between the start of the task and the page.
   * Scans are the runner's: no gate refuses them.
   *
   * @param position what the last page gave, or null to begin
   */
  CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call);

  /**
   * Returns the collection's committed changes; {@link Capability#CHANGE_SOURCE}. They are the
   * runner's: no gate refuses them.
   */
  ChangeSource changes();

  /** Returns the collection's gate; {@link Capability#GATE}. */
  Gate gate();
}
