package dev.kvshift.scylla.internal.session;

import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.cql.StoreCql;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The skew between this process's clock and the servers', measured periodically. Half of the round
 * trip counts as uncertainty, so only a skew that is certainly too large is reported.
 */
public final class Skew implements AutoCloseable {
  static final Duration EVERY = Duration.ofSeconds(30);
  private static final int SAMPLES = 3;
  private static final Logger LOG = LoggerFactory.getLogger(Skew.class);

  /**
   * One measurement.
   *
   * @param offsetMicros how far the server's clock is ahead
   * @param uncertaintyMicros half the round trip
   */
  record Sample(long offsetMicros, long uncertaintyMicros) {
    boolean isBeyond(Duration limit) {
      return Math.abs(offsetMicros) - uncertaintyMicros
          > TimeUnit.NANOSECONDS.toMicros(limit.toNanos());
    }
  }

  private final Requests requests;
  private final VersionClock clock;
  private final ScheduledExecutorService timer;
  private volatile Sample last = new Sample(0, 0);

  public Skew(Requests requests, VersionClock clock) {
    this.requests = requests;
    this.clock = clock;
    timer =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "kvshift-scylla-skew");
              thread.setDaemon(true);
              return thread;
            },
            new ThreadPoolExecutor.DiscardPolicy());
  }

  /** Measures the skew, and again every {@link #EVERY} until closed. */
  public CompletionStage<Void> start() {
    return measure()
        .thenRun(
            () ->
                timer.scheduleWithFixedDelay(
                    this::measureAgain, EVERY.toMillis(), EVERY.toMillis(), TimeUnit.MILLISECONDS));
  }

  /** Runs another task on the same timer, periodically until closed. */
  public void every(Duration period, Runnable task) {
    timer.scheduleWithFixedDelay(task, period.toMillis(), period.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Runs another task on the same timer once, unless closed meanwhile. */
  public void after(Duration delay, Runnable task) {
    timer.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
  }

  /**
   * Requires clocks that agree, before this process draws a version.
   *
   * @throws KvException.Transient if they are certainly further apart than the limit
   */
  public void requireSynchronized() {
    Sample sample = last;
    if (sample.isBeyond(VersionClock.SKEW_LIMIT)) {
      throw new KvException.Transient(
          "the clocks of this process and of the server are "
              + TimeUnit.MICROSECONDS.toMillis(Math.abs(sample.offsetMicros()))
              + " ms apart, the limit is "
              + VersionClock.SKEW_LIMIT.toMillis()
              + " ms; nothing was written: synchronize the clocks");
    }
  }

  /** Returns the time by the servers' clock as last measured, in microseconds since 1970. */
  public long serverMicros() {
    return clock.nowMicros() + last.offsetMicros();
  }

  /** Reads the server's clock. */
  public CompletionStage<Instant> serverTime() {
    return requests
        .read(
            "reading the server's clock",
            SimpleStatement.builder(StoreCql.SERVER_TIME).setIdempotence(true).build(),
            requests.call())
        .thenApply(
            result -> {
              Row row = result.one();
              Instant time = row == null ? null : row.getInstant(0);
              if (time == null) {
                throw new KvException.Transient("the server returned no time: try again");
              }
              return time;
            });
  }

  CompletionStage<Void> measure() {
    CompletionStage<Sample> best = sample();
    for (int i = 1; i < SAMPLES; i++) {
      best =
          best.thenCompose(
              before ->
                  sample()
                      .thenApply(
                          now ->
                              now.uncertaintyMicros() < before.uncertaintyMicros() ? now : before));
    }
    return best.thenAccept(sample -> last = sample);
  }

  /** The round trip begins before the clock is read, so a pause in between adds uncertainty. */
  private CompletionStage<Sample> sample() {
    long start = System.nanoTime();
    long before = clock.nowMicros();
    return serverTime()
        .thenApply(
            server -> {
              long half = TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - start) / 2;
              long halfMilli = 500;
              long offset = VersionClock.micros(server) + halfMilli - (before + half);
              return new Sample(offset, half + halfMilli);
            });
  }

  private void measureAgain() {
    CompletableFuture<Void> done = measure().toCompletableFuture();
    done.whenComplete(
        (nothing, error) -> {
          if (error != null) {
            LOG.debug("could not measure the clock skew to {}", requests.settings(), error);
          } else if (last.isBeyond(VersionClock.SKEW_LIMIT)) {
            LOG.warn(
                "writes to {} are refused, its clock and this process's are {} ms apart, the limit"
                    + " is {} ms: synchronize the clocks",
                requests.settings(),
                TimeUnit.MICROSECONDS.toMillis(Math.abs(last.offsetMicros())),
                VersionClock.SKEW_LIMIT.toMillis());
          }
        });
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
