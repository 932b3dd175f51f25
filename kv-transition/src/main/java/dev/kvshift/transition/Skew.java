package dev.kvshift.transition;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How far this process's version clock is from the new store's. A version is drawn only with a
 * clock that is known to be right: measured within the last 30 s, without a step of the wall clock
 * against the monotonic one since. Otherwise the write measures first. A measurement that failed is
 * none. Safe for use by many threads.
 */
final class Skew {
  private static final Duration EVERY = Duration.ofSeconds(30);
  private static final long LIMIT_MICROS =
      TimeUnit.NANOSECONDS.toMicros(VersionClock.SKEW_LIMIT.toNanos());

  private final Side newSide;
  private final VersionClock clock;
  private final Events events;
  private final LongSupplier nanoTime;
  private @Nullable Measured last;
  private @Nullable String problem;
  private @Nullable CompletableFuture<Measured> running;

  /** A measurement: the distance, and both of this process's clocks when it was taken. */
  private record Measured(long skewMicros, long wallMicros, long nanos) {}

  Skew(Side newSide, VersionClock clock, Events events) {
    this(newSide, clock, events, System::nanoTime);
  }

  Skew(Side newSide, VersionClock clock, Events events, LongSupplier nanoTime) {
    this.events = events;
    this.newSide = newSide;
    this.clock = clock;
    this.nanoTime = nanoTime;
  }

  /** Returns the last measured distance; null if there was none yet. */
  synchronized @Nullable Duration measured() {
    return last == null ? null : Duration.of(last.skewMicros, ChronoUnit.MICROS);
  }

  /** Returns why the last measurement failed; null if it did not. */
  synchronized @Nullable String problem() {
    return problem;
  }

  /** Measures if what is known can no longer be relied on. */
  CompletionStage<?> refresh() {
    return isReliable() ? CompletableFuture.completedFuture(null) : measure();
  }

  /** Measures. What the request itself takes counts in favour of the clock. */
  CompletionStage<?> measure() {
    CompletableFuture<Measured> begun;
    synchronized (this) {
      if (running != null) {
        return running;
      }
      begun = new CompletableFuture<>();
      running = begun;
    }
    Futures.start(() -> newSide.store().thenCompose(this::measureAt))
        .whenComplete((measured, error) -> end(begun, measured, error));
    return begun;
  }

  private CompletionStage<Measured> measureAt(Store store) {
    long before = clock.nowMicros();
    return store
        .serverTime()
        .thenApply(
            time -> {
              long after = clock.nowMicros();
              long server = VersionClock.micros(time);
              long skew = Math.max(0, Math.max(before - server, server - after));
              return new Measured(skew, after, nanoTime.getAsLong());
            });
  }

  private void end(
      CompletableFuture<Measured> begun, @Nullable Measured measured, @Nullable Throwable error) {
    synchronized (this) {
      running = null;
      if (measured != null) {
        last = measured;
        problem = null;
      } else {
        problem =
            "its new side does not tell its time: "
                + TransitionCollection.failure(error).getMessage();
      }
    }
    if (measured != null) {
      events.skew(Duration.of(measured.skewMicros, ChronoUnit.MICROS));
      begun.complete(measured);
    } else {
      KvException failure = TransitionCollection.failure(error);
      events.sideFailed(Events.NEW, failure);
      begun.completeExceptionally(failure);
    }
  }

  private synchronized boolean isReliable() {
    return last != null
        && last.skewMicros <= LIMIT_MICROS
        && nanoTime.getAsLong() - last.nanos <= EVERY.toNanos()
        && Math.abs(stepMicros(last)) <= LIMIT_MICROS;
  }

  /** Returns how far the wall clock has moved against the monotonic one since a measurement. */
  private long stepMicros(Measured since) {
    long passed = TimeUnit.NANOSECONDS.toMicros(nanoTime.getAsLong() - since.nanos);
    return clock.nowMicros() - since.wallMicros - passed;
  }

  /**
   * Ends once the clock is known to be right; fails with {@code Transient} if it is too far off, or
   * if that cannot be found out.
   */
  CompletionStage<?> require(String collection) {
    if (isReliable()) {
      return CompletableFuture.completedFuture(null);
    }
    return measure()
        .thenApply(
            measured -> {
              Duration skew = measured();
              if (skew != null && skew.compareTo(VersionClock.SKEW_LIMIT) > 0) {
                throw new KvException.Transient(
                    "this machine's clock is "
                        + skew.toMillis()
                        + " ms away from the new store's, at most "
                        + VersionClock.SKEW_LIMIT.toMillis()
                        + " are allowed; collection "
                        + collection
                        + " was not written: set the clock right, then try again");
              }
              return collection;
            });
  }
}
