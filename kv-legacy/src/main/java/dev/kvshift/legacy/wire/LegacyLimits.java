package dev.kvshift.legacy.wire;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;

/** What the legacy store accepts, over the network or in the process. Stateless. */
public final class LegacyLimits {
  public static final int MAX_KEY_BYTES = 65_535;
  public static final int MAX_VALUE_BYTES = 16 << 20;
  public static final int DEFAULT_IN_FLIGHT = 1_024;
  public static final int MAX_IN_FLIGHT = 4_096;
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

  /** The largest batch of changes that one read gives, and the longest that it waits. */
  public static final int MAX_CHANGE_BYTES = 16 << 20;

  public static final Duration MAX_CHANGE_WAIT = Duration.ofSeconds(60);

  /** The largest frame: a value or a page of the largest size, with its keys. */
  public static final int MAX_FRAME_BYTES = 40 << 20;

  private LegacyLimits() {}

  /** Returns how long a read of changes waits where its caller asks for so long. */
  public static Duration bounded(Duration wait) {
    if (wait.isNegative()) {
      return Duration.ZERO;
    }
    return wait.compareTo(MAX_CHANGE_WAIT) > 0 ? MAX_CHANGE_WAIT : wait;
  }

  /** Returns the limits as the SPI shows them. */
  public static Limits of(Duration timeout, int inFlight) {
    return Limits.defaults()
        .withMaxMainBytes(MAX_KEY_BYTES)
        .withMaxClusteringBytes(MAX_KEY_BYTES)
        .withMaxValueBytes(MAX_VALUE_BYTES)
        .withMaxInFlight(inFlight)
        .withTimeout(timeout);
  }

  /**
   * Checks a key.
   *
   * @throws KvException.InvalidArgument if it is too long, or has a shard, which the legacy store
   *     does not know
   */
  public static void check(StoreKey key) {
    if (!key.shard().isEmpty()) {
      throw new KvException.InvalidArgument(
          "the legacy store knows no shards: leave the shard empty");
    }
    checkMain(key.main());
    check("clustering part", key.clustering().size(), MAX_KEY_BYTES);
  }

  /**
   * Checks a key of a collection.
   *
   * @throws KvException.InvalidArgument also if it does not fit the collection's shape
   */
  public static void check(String collection, Layout layout, StoreKey key) {
    if (layout.shape() == Layout.Shape.POINT) {
      if (key.main().isEmpty()) {
        throw new KvException.InvalidArgument(
            "a key of point collection " + collection + " is empty: give at least one byte");
      }
      if (!key.clustering().isEmpty()) {
        throw new KvException.InvalidArgument(
            "collection " + collection + " is a point collection: leave the clustering part empty");
      }
    }
    check(key);
  }

  private static void checkMain(Bytes main) {
    check("main part", main.size(), MAX_KEY_BYTES);
  }

  /**
   * Checks what a range is read of.
   *
   * @throws KvException.InvalidArgument also if the collection is a point collection
   */
  public static void checkRange(String collection, Layout layout, Bytes main, Bytes shard) {
    if (layout.shape() != Layout.Shape.RANGE) {
      throw new KvException.InvalidArgument(
          "collection " + collection + " is a point collection: read it with get");
    }
    check(StoreKey.of(main, shard, Bytes.empty()));
  }

  /**
   * Checks that there is time left.
   *
   * @throws KvException.Transient if there is none
   */
  public static void check(Call call) {
    if (call.isExpired()) {
      throw new KvException.Transient(
          "the request's time was over before it was sent; nothing was written: try again");
    }
  }

  /** Checks the key of a lock. */
  public static void checkLockKey(Bytes key) {
    check("lock key", key.size(), MAX_KEY_BYTES);
  }

  /** Checks what is to be written. */
  public static void check(Mutation mutation) {
    Bytes value = mutation.value();
    if (value != null) {
      check("value", value.size(), MAX_VALUE_BYTES);
    }
  }

  private static void check(String what, int size, int limit) {
    if (size > limit) {
      throw new KvException.InvalidArgument(
          what + " of " + size + " bytes, the limit is " + limit + ": make it shorter");
    }
  }
}
