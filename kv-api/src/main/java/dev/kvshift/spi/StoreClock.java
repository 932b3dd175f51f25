package dev.kvshift.spi;

import dev.kvshift.api.KvException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A store's clock, as this process knows it. A version may be drawn only by a clock that is known
 * to be right: measured within {@link #VALID_FOR}, and without a step of the wall clock against the
 * monotonic one since (a machine that was suspended, an operator who set the time). Otherwise
 * {@link #require} measures first. A failed measurement does not count.
 *
 * <p>Requests that need a measurement share one. Safe for use by many threads.
 */
public final class StoreClock {
  /** The time for which a measurement is valid: 30 s. */
  public static final Duration VALID_FOR = Duration.ofSeconds(30);

  /** The number of round trips of a measurement, of which the shortest is kept. */
  private static final int ROUND_TRIPS = 3;

  /** Half of the millisecond to which a store may truncate its time: added, and an uncertainty. */
  private static final Duration HALF_MILLI = Duration.of(500, ChronoUnit.MICROS);

  private static final long LIMIT_MICROS =
      TimeUnit.NANOSECONDS.toMicros(VersionClock.SKEW_LIMIT.toNanos());

  private final VersionClock clock;
  private final Supplier<? extends CompletionStage<Instant>> serverTime;
  private final Listener listener;
  private final LongSupplier nanoTime;
  private volatile @Nullable Measured last;
  private volatile @Nullable KvException failure;
  private @Nullable CompletableFuture<ClockSkew> running;

  /** Receives each measurement once, when it has ended. */
  public interface Listener {
    /** A listener that ignores measurements. */
    Listener NONE = (skew, failure) -> {};

    /**
     * Receives a measurement.
     *
     * @param skew what was measured; null if it failed
     * @param failure why it failed; null if it did not
     */
    void measured(@Nullable ClockSkew skew, @Nullable KvException failure);
  }

  /**
   * A measurement, and both of this process's clocks when its request was sent. A step of the wall
   * clock during the request is therefore noticed too.
   */
  private record Measured(ClockSkew skew, long wallMicros, long nanos) {}

  /**
   * Creates the view of a clock that has not been measured.
   *
   * @param clock this process's clock, of which versions are drawn
   * @param serverTime asks the store for its time
   * @param listener must not throw
   */
  public StoreClock(
      VersionClock clock,
      Supplier<? extends CompletionStage<Instant>> serverTime,
      Listener listener) {
    this(clock, serverTime, listener, System::nanoTime);
  }

  StoreClock(
      VersionClock clock,
      Supplier<? extends CompletionStage<Instant>> serverTime,
      Listener listener,
      LongSupplier nanoTime) {
    this.clock = clock;
    this.serverTime = serverTime;
    this.listener = listener;
    this.nanoTime = nanoTime;
  }

  /** Returns the last measurement that succeeded; null if there was none yet. */
  public @Nullable ClockSkew skew() {
    Measured known = last;
    return known == null ? null : known.skew;
  }

  /** Returns why the last measurement failed; null if it did not. */
  public @Nullable KvException failure() {
    return failure;
  }

  /**
   * Returns the store's time in microseconds since 1970, as far as it is known; this process's own
   * before the first measurement.
   */
  public long nowMicros() {
    Measured known = last;
    return clock.nowMicros() + (known == null ? 0 : micros(known.skew.offset()));
  }

  /**
   * Returns whether an entry has expired by every clock that the store's servers may have, so that
   * it may be written as a delete.
   */
  public boolean hasExpired(Instant expiry) {
    Measured known = last;
    Duration margin = known == null ? VersionClock.SKEW_LIMIT : known.skew.expiryMargin();
    return VersionClock.micros(expiry.plus(margin)) < clock.nowMicros();
  }

  /** Returns whether a version may be drawn now, without a measurement first. */
  public boolean isRight() {
    Measured known = last;
    return known != null
        && known.skew.isWithinLimit()
        && nanoTime.getAsLong() - known.nanos <= VALID_FOR.toNanos()
        && Math.abs(stepMicros(known)) <= LIMIT_MICROS;
  }

  /** Returns how far the wall clock has moved against the monotonic one since a measurement. */
  private long stepMicros(Measured since) {
    long passed = TimeUnit.NANOSECONDS.toMicros(nanoTime.getAsLong() - since.nanos);
    return clock.nowMicros() - since.wallMicros - passed;
  }

  /**
   * Completes once a version may be drawn, at once if the clock is known to be right.
   *
   * @return a stage that fails with {@code Transient} if the clocks are too far apart, and as the
   *     measurement does if that cannot be determined. It has no deadline of its own: use {@link
   *     Futures#within} for that of a call.
   */
  public CompletionStage<Void> require() {
    if (isRight()) {
      return CompletableFuture.completedFuture(null);
    }
    return Futures.map(
        measure(),
        skew -> {
          if (!skew.isWithinLimit()) {
            throw new KvException.Transient(
                "the store's clock is "
                    + skew
                    + ", at most "
                    + VersionClock.SKEW_LIMIT.toMillis()
                    + " ms are allowed; nothing was written: synchronize the clocks, then try"
                    + " again");
          }
          return null;
        });
  }

  /** Measures the skew, or joins a measurement that has begun. */
  public CompletionStage<ClockSkew> measure() {
    CompletableFuture<ClockSkew> begun;
    synchronized (this) {
      if (running != null) {
        return running;
      }
      begun = new CompletableFuture<>();
      running = begun;
    }
    CompletionStage<Measured> shortest = roundTrip();
    for (int i = 1; i < ROUND_TRIPS; i++) {
      shortest =
          shortest.thenCompose(
              before ->
                  roundTrip()
                      .thenApply(
                          now ->
                              now.skew.uncertainty().compareTo(before.skew.uncertainty()) < 0
                                  ? now
                                  : before));
    }
    shortest.whenComplete((measured, error) -> end(begun, measured, error));
    return begun;
  }

  /** The monotonic clock times the round trip; a pause before the request adds uncertainty. */
  private CompletionStage<Measured> roundTrip() {
    long sentNanos = nanoTime.getAsLong();
    long sent = clock.nowMicros();
    return Futures.<Instant>start(serverTime)
        .thenApply(
            server -> {
              Instant asked = Instant.EPOCH.plus(sent, ChronoUnit.MICROS);
              Instant answered = asked.plusNanos(nanoTime.getAsLong() - sentNanos);
              ClockSkew exact = ClockSkew.of(asked, server, answered);
              ClockSkew skew =
                  ClockSkew.of(
                      exact.offset().plus(HALF_MILLI), exact.uncertainty().plus(HALF_MILLI));
              return new Measured(skew, sent, sentNanos);
            });
  }

  private void end(
      CompletableFuture<ClockSkew> begun, @Nullable Measured measured, @Nullable Throwable error) {
    KvException cause = error == null ? null : Futures.readFailure(error);
    synchronized (this) {
      running = null;
      failure = cause;
      if (measured != null) {
        last = measured;
      }
    }
    if (measured != null) {
      listener.measured(measured.skew, null);
      begun.complete(measured.skew);
    } else {
      listener.measured(null, cause);
      begun.completeExceptionally(cause);
    }
  }

  private static long micros(Duration duration) {
    return TimeUnit.NANOSECONDS.toMicros(duration.toNanos());
  }
}
