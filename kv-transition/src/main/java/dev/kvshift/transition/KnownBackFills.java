package dev.kvshift.transition;

import com.google.common.cache.Cache;
import com.google.common.cache.CacheBuilder;
import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Futures;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The back-filled main keys of one collection that this process knows of. A key that it does not
 * know is looked up in the background, for later reads, so no read ever waits for that; a lookup
 * that fails, or finds nothing, is repeated some seconds later at the earliest. Memory and lookups
 * in flight are limited. Safe for use by many threads.
 */
final class KnownBackFills {
  /** The memory of each of the two caches, in bytes. */
  private static final long CACHE_BYTES = 8L << 20;

  private static final int OVERHEAD_BYTES = 160;
  private static final int LOOKUPS_IN_FLIGHT = 64;
  private static final Duration LOOKED_UP_AGAIN = Duration.ofSeconds(5);
  private static final Duration REQUEST = Duration.ofSeconds(5);

  private final Function<Copy, CompletionStage<@Nullable BackFilledKeys>> marksOf;
  private final Cache<Bytes, Long> epochs = cache().build();
  private final Cache<Bytes, Long> asked = cache().expireAfterWrite(LOOKED_UP_AGAIN).build();
  private final Semaphore lookups = new Semaphore(LOOKUPS_IN_FLIGHT);
  private volatile @Nullable Marks marks;

  /**
   * The marks of a copy.
   *
   * @param keys null if there were none when they were looked for last
   */
  private record Marks(Copy copy, @Nullable BackFilledKeys keys, long nanos) {
    boolean isOf(Copy wanted) {
      return copy.equals(wanted)
          && (keys != null || System.nanoTime() - nanos < LOOKED_UP_AGAIN.toNanos());
    }
  }

  /** Creates an empty cache; the function opens the marks of a copy, or returns null. */
  KnownBackFills(Function<Copy, CompletionStage<@Nullable BackFilledKeys>> marksOf) {
    this.marksOf = marksOf;
  }

  private static CacheBuilder<Bytes, Long> cache() {
    return CacheBuilder.newBuilder()
        .maximumWeight(CACHE_BYTES)
        .weigher((main, epoch) -> main.size() + OVERHEAD_BYTES);
  }

  /**
   * Returns whether a main key is known to have been back-filled in an epoch.
   *
   * @param copy the copy that the new side holds; null if it is not known
   */
  boolean includes(@Nullable Copy copy, Bytes main, long epoch) {
    Long known = epochs.getIfPresent(main);
    if (known != null && known == epoch) {
      return true;
    }
    if (copy != null && asked.getIfPresent(main) == null && lookups.tryAcquire()) {
      asked.put(main, epoch);
      Futures.start(() -> lookUp(copy, main, epoch))
          .whenComplete(
              (isFilled, error) -> {
                if (error == null && isFilled) {
                  epochs.put(main, epoch);
                }
                lookups.release();
              });
    }
    return false;
  }

  private CompletionStage<Boolean> lookUp(Copy copy, Bytes main, long epoch) {
    Marks found = marks;
    CompletionStage<@Nullable BackFilledKeys> keys =
        found != null && found.isOf(copy)
            ? CompletableFuture.completedFuture(found.keys)
            : marksOf
                .apply(copy)
                .thenApply(
                    opened -> {
                      marks = new Marks(copy, opened, System.nanoTime());
                      return opened;
                    });
    return keys.thenCompose(
        opened ->
            opened == null
                ? CompletableFuture.completedFuture(false)
                : opened.includes(main, epoch, Call.within(REQUEST)));
  }
}
