package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * A change on its way through the commit pipeline. Its result completes once the change is durable;
 * it fails with {@code UnknownOutcome} if the batch failed, and with another {@link KvException} if
 * the change was certainly not made.
 *
 * <p>Created by any thread, then confined to the pipeline's thread. Only the result is shared.
 */
public final class Operation<T extends @Nullable Object> {
  /** Bytes that an operation occupies in the queue beyond those of its key and value. */
  static final int OVERHEAD_BYTES = 256;

  /** The change itself: reads and extends the commit. */
  public interface Step<T extends @Nullable Object> {
    /**
     * Adds the change to the commit. An implementation that throws a {@link KvException} or a
     * {@link RocksDBException} has added nothing.
     *
     * @throws KvException if the change is refused
     */
    T apply(Commit commit) throws RocksDBException;
  }

  private final CompletableFuture<T> result = new CompletableFuture<>();
  private final @Nullable Table table;
  private final int bytes;
  private final @Nullable Call call;
  private final boolean waitsAtFence;
  private final Step<T> step;
  private @Nullable T outcome;
  private @Nullable KvException failure;

  private Operation(
      @Nullable Table table, int bytes, @Nullable Call call, boolean waitsAtFence, Step<T> step) {
    this.table = table;
    this.bytes = bytes + OVERHEAD_BYTES;
    this.call = call;
    this.waitsAtFence = waitsAtFence;
    this.step = step;
  }

  /** Returns a change of the store as a whole, without a deadline. */
  public static <T extends @Nullable Object> Operation<T> of(Step<T> step) {
    return new Operation<>(null, 0, null, false, step);
  }

  /**
   * Returns a change of a collection, without a deadline. It fails if the collection is dropped.
   */
  public static <T extends @Nullable Object> Operation<T> on(Table table, Step<T> step) {
    return new Operation<>(table, 0, null, false, step);
  }

  /**
   * Returns a caller's change of a collection, which fails as {@code Transient} if its deadline
   * passes before its turn.
   *
   * @param bytes the size of its keys and value
   */
  public static <T extends @Nullable Object> Operation<T> request(
      Table table, int bytes, Call call, Step<T> step) {
    return new Operation<>(table, bytes, call, false, step);
  }

  /** Returns a caller's write of a row: a request that also waits while a fence is up. */
  public static <T extends @Nullable Object> Operation<T> write(
      Table table, int bytes, Call call, Step<T> step) {
    return new Operation<>(table, bytes, call, true, step);
  }

  CompletableFuture<T> result() {
    return result;
  }

  @Nullable Table table() {
    return table;
  }

  int bytes() {
    return bytes;
  }

  boolean waitsAtFence() {
    return waitsAtFence;
  }

  boolean isExpired() {
    return call != null && call.isExpired();
  }

  /**
   * Applies the step and keeps its outcome until the batch is durable. A batch that was abandoned
   * before it was written is applied again.
   */
  void apply(Commit commit) {
    failure = null;
    try {
      if (table != null) {
        table.requireCurrent();
      }
      outcome = step.apply(commit);
    } catch (KvException e) {
      failure = e;
    } catch (RocksDBException e) {
      failure =
          new KvException.Permanent(
              "the store cannot read the row: "
                  + e.getMessage()
                  + "; stop the server and restore its files from a copy",
              e);
    }
  }

  void fail(KvException refused) {
    failure = refused;
  }

  @SuppressWarnings("NullAway")
  void complete() {
    if (failure != null) {
      result.completeExceptionally(failure);
    } else {
      result.complete(outcome);
    }
  }
}
