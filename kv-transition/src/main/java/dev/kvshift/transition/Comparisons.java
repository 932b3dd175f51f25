package dev.kvshift.transition;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares a sample of the old side's answers with the new side, off the path of the requests and
 * no more than {@link #MAX_IN_FLIGHT} at a time. Differences are reported with a digest of the key,
 * never with a value. Safe for use by many threads.
 *
 * <p>Two answers of different moments may differ although both sides are right. A difference counts
 * only if the old side's row is one that the new side must have, of a version up to W, the applied
 * watermark, and the old side still shows the same row afterwards.
 */
final class Comparisons {
  /** The comparisons in flight above which further ones are dropped. */
  static final int MAX_IN_FLIGHT = 64;

  /** One read in this many is compared. */
  static final int ONE_IN = 16;

  private static final Logger LOG = LoggerFactory.getLogger(Comparisons.class);
  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private static final long LOG_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final int DIGEST_DIGITS = 16;

  /** The time around an expiry in which the sides may disagree: two clocks and a request. */
  private static final Duration EXPIRY_MARGIN = VersionClock.SKEW_LIMIT.multipliedBy(4);

  private final String name;
  private final NewSide newSide;
  private final LongSupplier applied;
  private final Events events;
  private final Semaphore free = new Semaphore(MAX_IN_FLIGHT);
  private final AtomicLong nextLogNanos = new AtomicLong(System.nanoTime());

  /** Reads a key's row from the old side again. */
  interface Again {
    CompletionStage<@Nullable Row> read(Call call);
  }

  /**
   * Creates the comparisons of a collection.
   *
   * @param applied W, the version up to which the new side has everything
   */
  Comparisons(String name, NewSide newSide, LongSupplier applied, Events events) {
    this.name = name;
    this.newSide = newSide;
    this.applied = applied;
    this.events = events;
  }

  /**
   * Compares an answer of the old side if it belongs to the sample.
   *
   * @param answer the old side's row; null if there is none
   */
  void sample(StoreKey key, @Nullable Row answer, Again again) {
    if (ThreadLocalRandom.current().nextInt(ONE_IN) == 0) {
      compare(key, answer, again);
    }
  }

  void compare(StoreKey key, @Nullable Row answer, Again again) {
    StoreCollection store = newSide.openedOrNull();
    if (store == null || !free.tryAcquire()) {
      events.compared(name, Events.DROPPED);
      return;
    }
    Call call = Call.within(TIMEOUT);
    Futures.<@Nullable Row>start(() -> store.get(key, call))
        .thenCompose(
            found ->
                isSame(answer, found) || !mustHave(answer, found)
                    ? CompletableFuture.completedFuture(Events.EQUAL)
                    : again.read(call).thenApply(now -> verdict(key, answer, found, now)))
        .whenComplete(
            (verdict, error) -> {
              free.release();
              if (error == null) {
                newSide.counter().compared(verdict.equals(Events.DIFFERENT));
              }
              events.compared(name, error == null ? verdict : Events.FAILED);
            });
  }

  /** A tombstone equals an absent row, since not every store returns tombstones. */
  private static boolean isSame(@Nullable Row answer, @Nullable Row found) {
    if (isNothing(answer) || isNothing(found)) {
      return isNothing(answer) && isNothing(found);
    }
    return Objects.equals(answer, found);
  }

  private static boolean isNothing(@Nullable Row row) {
    return row == null || row.isTombstone();
  }

  /** Returns whether the new side must have the old side's row, or a newer one. */
  private boolean mustHave(@Nullable Row answer, @Nullable Row found) {
    if (answer == null) {
      return found != null && found.version() <= applied.getAsLong();
    }
    boolean isNewer = found != null && found.version() > answer.version();
    return !isNewer && answer.version() <= applied.getAsLong();
  }

  private String verdict(
      StoreKey key, @Nullable Row answer, @Nullable Row found, @Nullable Row now) {
    if (!Objects.equals(answer, now) || isExpiring(answer) || isExpiring(found)) {
      return Events.CHANGED;
    }
    long nanos = System.nanoTime();
    long next = nextLogNanos.get();
    if (nanos - next >= 0 && nextLogNanos.compareAndSet(next, nanos + LOG_PAUSE_NANOS)) {
      LOG.warn(
          "collection {}: the new side differs in the key with digest {}: verify it and repair it",
          name,
          digest(key));
    }
    return Events.DIFFERENT;
  }

  /** Returns whether one side may show the row already dead, and the other still alive. */
  private static boolean isExpiring(@Nullable Row row) {
    Instant expiry = row == null ? null : row.expiry();
    return expiry != null
        && Duration.between(expiry, Instant.now()).abs().compareTo(EXPIRY_MARGIN) < 0;
  }

  private static String digest(StoreKey key) {
    Hasher hasher = Hashing.sha256().newHasher();
    for (Bytes part : List.of(key.main(), key.shard(), key.clustering())) {
      hasher.putInt(part.size()).putBytes(part.asReadOnlyBuffer());
    }
    return hasher.hash().toString().substring(0, DIGEST_DIGITS);
  }
}
