package dev.kvshift.spi;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.api.Lock;
import dev.kvshift.api.Range;
import java.time.Duration;
import java.util.Set;

/**
 * Checks of a request's arguments against a collection's layout and its store's limits, before
 * anything is sent. Immutable.
 *
 * <p>All drivers share these checks, so that a request that one store refuses is refused by every
 * other store with the same limits, with the same error. A driver keeps one checker per collection,
 * implements {@link StoreCollection#check} with it, and calls it once at the start of each request.
 */
public final class OperationChecker {
  private final String collection;
  private final Layout layout;
  private final Limits limits;
  private final Scope scope;

  /** The requests that a collection takes: for keys with shards, and writes. */
  private record Scope(boolean sharded, boolean writable) {}

  private OperationChecker(String collection, Layout layout, Limits limits, Scope scope) {
    this.collection = collection;
    this.layout = layout;
    this.limits = limits;
    this.scope = scope;
  }

  /** Returns the checker of a collection. */
  public static OperationChecker of(String collection, Layout layout, Limits limits) {
    return new OperationChecker(collection, layout, limits, new Scope(true, true));
  }

  /** Returns a checker that refuses every key with a shard, for stores that know no shards. */
  public OperationChecker withoutShards() {
    return new OperationChecker(collection, layout, limits, new Scope(false, scope.writable));
  }

  /** Returns the checker of a collection that was opened with a claim. */
  public OperationChecker claimed(Claim claim) {
    boolean writable = claim.kind() != Claim.Kind.READ;
    return new OperationChecker(collection, layout, limits, new Scope(scope.sharded, writable));
  }

  /**
   * Checks a key: its shape, and the length of its parts.
   *
   * @throws KvException.InvalidArgument if the store can hold no row of that key
   */
  public void check(StoreKey key) {
    checkMain(key.main(), key.shard());
    if (layout.shape() == Shape.POINT && !(key.clustering().isEmpty() && key.shard().isEmpty())) {
      throw new KvException.InvalidArgument(
          "collection " + collection + " is a point collection: leave the clustering part empty");
    }
    checkSize("clustering part", key.clustering().size(), limits.maxClusteringBytes());
  }

  /**
   * Checks a write: its key, and the length of its value.
   *
   * @throws KvException.InvalidArgument if the store can never hold the row
   */
  public void check(StoreKey key, Mutation mutation) {
    check(key);
    Bytes value = mutation.value();
    if (value != null) {
      checkSize("value", value.size(), limits.maxValueBytes());
    }
  }

  /**
   * Checks that the collection takes writes at all, as every driver does first in a write.
   *
   * @throws KvException.Permanent if it was opened for reading
   */
  public void requireWritable() {
    if (!scope.writable) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " was opened for reading, nothing was written: open it without access=read");
    }
  }

  /**
   * Checks the main key and the shard of a range.
   *
   * @throws KvException.InvalidArgument if they are too long, or the collection is a point
   *     collection
   */
  public void checkRange(Bytes main, Bytes shard) {
    if (layout.shape() != Shape.RANGE) {
      throw new KvException.InvalidArgument(
          "collection " + collection + " is a point collection: read it with get");
    }
    checkMain(main, shard);
  }

  /**
   * Checks the bounds of a range, which a caller or a forged continuation may have made longer than
   * any key.
   *
   * @throws KvException.InvalidArgument if one is longer than a clustering part may be
   */
  public void checkBounds(Range range) {
    Bytes from = range.from();
    Bytes to = range.to();
    if (from != null) {
      checkSize("lower bound", from.size(), limits.maxClusteringBytes());
    }
    if (to != null) {
      checkSize("upper bound", to.size(), limits.maxClusteringBytes());
    }
  }

  /**
   * Checks that a request still has time to be sent.
   *
   * @throws KvException.Transient if its deadline has passed
   */
  public void checkDeadline(Call call) {
    if (call.isExpired()) {
      throw new KvException.Transient(
          "collection "
              + collection
              + ": the deadline passed before the request was sent; nothing was written: try"
              + " again");
    }
  }

  /**
   * Checks the keys of a batch of locks.
   *
   * @param keys 1 to {@value StoreLocks#MAX_KEYS} keys
   * @throws KvException.InvalidArgument if there are none or too many, or one is longer than a main
   *     key may be
   */
  public static void checkLocks(Set<Bytes> keys, Limits limits) {
    if (keys.isEmpty() || keys.size() > StoreLocks.MAX_KEYS) {
      throw new KvException.InvalidArgument(
          "a batch of " + keys.size() + " locks: give 1 to " + StoreLocks.MAX_KEYS);
    }
    for (Bytes key : keys) {
      if (key.size() > limits.maxMainBytes()) {
        throw new KvException.InvalidArgument(
            tooLong("lock key", key.size(), limits.maxMainBytes()));
      }
    }
  }

  /**
   * Checks the lease of a lock.
   *
   * @throws KvException.InvalidArgument if it is null, shorter than {@link StoreLocks#MIN_LEASE} or
   *     longer than {@link StoreLocks#MAX_LEASE}
   */
  public static void checkLease(Duration lease) {
    KvException.InvalidArgument.requireNonNull(lease, "lock lease");
    if (lease.compareTo(StoreLocks.MIN_LEASE) < 0 || lease.compareTo(StoreLocks.MAX_LEASE) > 0) {
      throw new KvException.InvalidArgument("lock lease " + lease + ": give 100 ms to 1 h");
    }
  }

  /**
   * Checks the fencing token of a write under a lock, as every leader does before it writes.
   *
   * @param lock the lock that the write carries
   * @param lastToken the last token that was granted for the lock's key
   * @throws KvException.Permanent if the lock has been granted again since
   */
  public static void checkToken(Lock lock, long lastToken) {
    if (lock.token() < lastToken) {
      throw new KvException.Permanent(
          "the write carries token "
              + lock.token()
              + " of lock "
              + lock.key()
              + ", a later one is "
              + lastToken
              + "; nothing was written: take the lock again and read again");
    }
  }

  private void checkMain(Bytes main, Bytes shard) {
    if (!scope.sharded && !shard.isEmpty()) {
      throw new KvException.InvalidArgument(
          "collection " + collection + ": its store knows no shards: leave the shard empty");
    }
    if (layout.shape() == Shape.POINT && main.isEmpty()) {
      throw new KvException.InvalidArgument(
          "a key of point collection " + collection + " is empty: give at least one byte");
    }
    checkSize("main part", main.size() + shard.size(), limits.maxMainBytes());
  }

  private void checkSize(String what, int size, int limit) {
    if (size > limit) {
      throw new KvException.InvalidArgument(
          "collection " + collection + ": " + tooLong(what, size, limit));
    }
  }

  private static String tooLong(String what, int size, int limit) {
    return what + " of " + size + " bytes, the limit is " + limit + ": make it shorter";
  }
}
