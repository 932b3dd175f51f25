package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.KvException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * One change on its way through the commit pipeline. Its result completes once the change is
 * durable, or certainly was not made, or its batch failed and nobody knows.
 */
public abstract class Op<T extends @Nullable Object> {
  static final int OVERHEAD_BYTES = 256;

  final CompletableFuture<T> result = new CompletableFuture<>();
  final @Nullable Table table;
  final int bytes;
  final long deadlineNanos;
  private @Nullable T outcome;
  private @Nullable KvException failure;

  public Op(@Nullable Table table, int bytes, long deadlineNanos) {
    this.table = table;
    this.bytes = bytes + OVERHEAD_BYTES;
    this.deadlineNanos = deadlineNanos;
  }

  /** Returns the deadline of what is not bound to a caller's: far enough away. */
  public static long unhurried() {
    return System.nanoTime() + TimeUnit.DAYS.toNanos(1);
  }

  /**
   * Adds what it changes to the commit. Throws before it has added anything, or not at all.
   *
   * @throws KvException if the change is refused
   */
  public abstract T apply(Commit commit) throws RocksDBException;

  /** Returns whether it waits while a fence stands. */
  public boolean waitsAtFence() {
    return false;
  }

  boolean isExpired() {
    return deadlineNanos - System.nanoTime() <= 0;
  }

  void prepare(Commit commit) {
    try {
      if (table != null) {
        table.requireThere();
      }
      outcome = apply(commit);
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
