package dev.kvshift.transition;

import com.google.common.hash.Hashing;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The main keys of one copy that were back-filled, each with the epoch in which it was. Their marks
 * are rows of an ordinary collection of the new store, {@value #NAME}, which all collections share:
 * they are as many as the listed keys, and none is held in memory here.
 *
 * <p>A mark counts in its own epoch alone, and is named after the copy, so none need ever be
 * removed: marks expire. Safe for use by many threads and processes.
 */
public final class BackFilledKeys {
  static final String NAME = "kvshift_backfilled";

  private static final Layout LAYOUT = Layout.of(Layout.Shape.POINT, ShardRule.none(), 0);

  /** A mark that has expired costs a second read again, and nothing else. */
  private static final Duration LIFE = Duration.ofDays(90);

  private final StoreCollection marks;
  private final Copy copy;
  private final boolean doExpire;

  private BackFilledKeys(StoreCollection marks, Copy copy, boolean doExpire) {
    this.marks = marks;
    this.copy = copy;
    this.doExpire = doExpire;
  }

  /** Opens the marks of a copy, and creates their collection if the store has none. */
  public static CompletionStage<BackFilledKeys> create(Store fresh, Copy copy) {
    return open(fresh, copy, Claim.ACTIVE);
  }

  /** Opens the marks of a copy; null if nobody has ever marked a key in the store. */
  static CompletionStage<@Nullable BackFilledKeys> find(Store fresh, Copy copy) {
    return CollectionRecord.read(fresh.metadata().committed(), NAME)
        .thenCompose(
            record ->
                record == null
                    ? CompletableFuture.completedFuture(null)
                    : open(fresh, copy, Claim.NONE).thenApply(found -> found));
  }

  private static CompletionStage<BackFilledKeys> open(Store fresh, Copy copy, Claim claim) {
    boolean doExpire = fresh.capabilities().contains(Capability.EXPIRY);
    return fresh
        .open(NAME, LAYOUT, claim)
        .thenApply(marks -> new BackFilledKeys(marks, copy, doExpire));
  }

  /**
   * Marks a main key.
   *
   * @param epoch an epoch in new-read in which the sides of the key were merged: every row that
   *     either had was acknowledged by the new one
   */
  public CompletionStage<?> add(Bytes main, long epoch, Call call) {
    Bytes value = Bytes.of(ByteBuffer.allocate(Long.BYTES).putLong(0, epoch));
    Mutation mark = Mutation.put(value).withVersion(VersionClock.ofProcess().nowMicros());
    return marks.write(
        keyOf(main), doExpire ? mark.withExpiry(Instant.now().plus(LIFE)) : mark, call);
  }

  /** Returns whether a main key was marked in an epoch. */
  CompletionStage<Boolean> includes(Bytes main, long epoch, Call call) {
    return marks.get(keyOf(main), call).thenApply(row -> epochOf(row) == epoch);
  }

  private static long epochOf(@Nullable Row row) {
    Bytes value = row == null ? null : row.value();
    return value == null || value.size() != Long.BYTES ? -1 : value.asReadOnlyBuffer().getLong();
  }

  private StoreKey keyOf(Bytes main) {
    byte[] digest =
        Hashing.sha256()
            .newHasher()
            .putBytes(Bytes.utf8(copy + "\n").toByteArray())
            .putBytes(main.toByteArray())
            .hash()
            .asBytes();
    return StoreKey.of(Bytes.of(digest), Bytes.empty());
  }
}
