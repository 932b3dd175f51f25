package dev.kvshift.migrate.internal.context;

import com.google.common.base.Ticker;
import com.google.common.util.concurrent.RateLimiter;
import dev.kvshift.api.PageLimit;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.transition.MergePass;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds the scans of a collection in this process to their rate, over both stores and all threads.
 * The rate can change meanwhile. Safe for use by many threads.
 *
 * <p>With a latency limit, the rate also follows the stores: it is halved after each second in
 * which at least half of the answers, of either store, took longer or failed, and grows by a
 * twentieth of the rate of before in each other second, up to the given one. What the migration
 * asks of the stores follows its scans, so nothing else need be held back.
 */
public final class ScanThrottle implements MergePass.Pace {
  private static final Logger LOG = LoggerFactory.getLogger(ScanThrottle.class);
  private static final long WINDOW_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long LEAST_ROWS_PER_SECOND = 100;
  private static final int GROWTH = 20;

  private final int pageRows;
  private final @Nullable Duration latencyLimit;
  private final Ticker ticker;
  private final LongAdder rows = new LongAdder();
  private final LongAdder answers = new LongAdder();
  private final LongAdder slow = new LongAdder();
  private volatile long windowNanos;
  private volatile ScanRate given;
  private volatile Limit limit;

  /** The rate that the stores allow for now; 0 if they allow the given one. */
  private long held;

  /** The rate before it was held back. */
  private long former;

  /** A rate, with the limiter that keeps it, or null if there is no limit. */
  private record Limit(PageLimit page, @Nullable RateLimiter limiter) {
    static Limit of(OptionalInt rowsPerSecond, int pageRows) {
      return new Limit(
          PageLimit.entries(Math.min(pageRows, rowsPerSecond.orElse(pageRows))),
          rowsPerSecond.isEmpty() ? null : RateLimiter.create(rowsPerSecond.getAsInt()));
    }
  }

  /**
   * Creates a throttle that does not follow the stores.
   *
   * @param pageRows rows in a page, unless that is more than the rate allows in one second
   */
  public ScanThrottle(ScanRate rate, int pageRows) {
    this(rate, pageRows, null, Ticker.systemTicker());
  }

  /**
   * Creates a throttle.
   *
   * @param pageRows rows in a page, unless that is more than the rate allows in one second
   * @param latencyLimit the time within which the stores are to answer; null not to follow them
   */
  public ScanThrottle(ScanRate rate, int pageRows, @Nullable Duration latencyLimit, Ticker ticker) {
    this.pageRows = pageRows;
    this.latencyLimit = latencyLimit;
    this.ticker = ticker;
    this.windowNanos = ticker.read();
    this.given = rate;
    this.limit = Limit.of(rate.rowsPerSecond(), pageRows);
  }

  /** Changes the rate of the pages that follow. */
  public synchronized void set(ScanRate rate) {
    if (!rate.rowsPerSecond().equals(given.rowsPerSecond())) {
      given = rate;
      apply();
    }
  }

  /** Returns the present rate in rows per second, or empty if there is none. */
  public synchronized OptionalInt rowsPerSecond() {
    int allowed = given.rowsPerSecond().orElse(Integer.MAX_VALUE);
    return held == 0 ? given.rowsPerSecond() : OptionalInt.of((int) Math.min(held, allowed));
  }

  /** Returns the limit of each page. */
  @Override
  public PageLimit page() {
    return limit.page;
  }

  /** Accounts for a page and blocks until the next one may be requested. */
  @Override
  public void acquire(ScanPage read) {
    acquire(read.rows().size());
  }

  /** Accounts for rows and blocks until the next ones may be requested. */
  public void acquire(int readRows) {
    note(readRows);
    RateLimiter limiter = limit.limiter;
    if (limiter != null && readRows > 0) {
      limiter.acquire(readRows);
    }
  }

  void note(int readRows) {
    rows.add(readRows);
  }

  /** Sends a request to a store, and accounts for the time until it is answered. */
  @Override
  public <T extends @Nullable Object> CompletionStage<T> timed(
      Supplier<CompletionStage<T>> request) {
    if (latencyLimit == null) {
      return request.get();
    }
    long begun = ticker.read();
    return request
        .get()
        .whenComplete(
            (answer, failed) ->
                answered(failed != null || ticker.read() - begun > latencyLimit.toNanos()));
  }

  private void answered(boolean isSlow) {
    answers.increment();
    if (isSlow) {
      slow.increment();
    }
    if (ticker.read() - windowNanos >= WINDOW_NANOS) {
      judge();
    }
  }

  private synchronized void judge() {
    long elapsed = ticker.read() - windowNanos;
    if (elapsed < WINDOW_NANOS) {
      return;
    }
    long ended = answers.sumThenReset();
    boolean isSlow = 2 * slow.sumThenReset() >= ended;
    double perSecond = rows.sumThenReset() * (double) WINDOW_NANOS / elapsed;
    windowNanos += elapsed;
    if (isSlow) {
      slowDown((long) perSecond);
    } else if (held != 0) {
      speedUp();
    }
  }

  private void slowDown(long perSecond) {
    int allowed = given.rowsPerSecond().orElse(Integer.MAX_VALUE);
    if (held == 0) {
      former = Math.max(LEAST_ROWS_PER_SECOND, Math.min(perSecond, allowed));
      held = former;
      LOG.warn(
          "half of the stores' answers take longer than {} ms: the scans slow down from {} rows/s",
          latencyLimit == null ? 0 : latencyLimit.toMillis(),
          former);
    }
    held = Math.max(LEAST_ROWS_PER_SECOND, Math.min(held, allowed) / 2);
    apply();
  }

  /** Without a given rate, the scans are held until they are twice as fast as before. */
  private void speedUp() {
    held += Math.max(LEAST_ROWS_PER_SECOND, former / GROWTH);
    if (held >= given.rowsPerSecond().orElse((int) Math.min(2 * former, Integer.MAX_VALUE))) {
      held = 0;
      LOG.info("the stores answer in time: the scans have their rate again, {}", given);
    }
    apply();
  }

  private void apply() {
    limit = Limit.of(rowsPerSecond(), pageRows);
  }
}
