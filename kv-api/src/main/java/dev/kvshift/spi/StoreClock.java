package dev.kvshift.spi;

import dev.kvshift.api.KvException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A store's clock, as this process knows it, and the versions that this process draws by it.
 *
 * <p><b>Problem.</b> Without a leader the newest version wins, and each process draws its own. By
 * their own clocks, a process that is 100 ms ahead would hide what the others write for 100 ms. So
 * each process measures the clocks of the store's servers and draws versions by their time.
 *
 * <p><b>What is known.</b> A server has read its clock at some moment of the round trip, so an
 * answer says that its time is now between two bounds. Servers may disagree: the store's time lies
 * between the earliest and the latest bound of all that have answered, and is taken to be the
 * middle. Half of the distance is the uncertainty. It grows with the age of the measurement by
 * {@link #MAX_DRIFT_MICROS_PER_SECOND}, as clocks drift, and by what the wall clock has moved
 * against the monotonic one.
 *
 * <p><b>Rules</b>, and what breaks without each:
 *
 * <ul>
 *   <li><i>More than half of the servers have answered.</i> Two processes have then asked one of
 *       them both, so their times are apart by at most the sum of their uncertainties, even if the
 *       servers' clocks are further apart.
 *   <li><i>A failed measurement does not count.</i> It says nothing about the clock.
 *   <li><i>Between measurements the monotonic clock counts.</i> Nobody sets it. It stops while the
 *       machine is suspended, and the wall clock does not: after a step of one against the other by
 *       more than {@link #STEP_LIMIT}, the clock is measured before a version is drawn. Steps count
 *       from when the first request was sent, or one that happens meanwhile would go unnoticed.
 *   <li><i>A process that knows the time to within no less than {@link VersionClock#SKEW_LIMIT}, or
 *       whose own clock is further off, draws none.</i>
 *   <li><i>The first version is drawn once the store's time has certainly passed the floor.</i>
 *       Versions up to the floor are those of the old store's leader, whose clock may be ahead.
 * </ul>
 *
 * <p>Of two writes, the one that begins later than the other's acknowledgement by more than the sum
 * of both processes' uncertainties has the higher version. Requests that need a measurement share
 * one. Safe for use by many threads.
 */
public final class StoreClock {
  /** The time for which a measurement is valid: 30 s. */
  public static final Duration VALID_FOR = Duration.ofSeconds(30);

  /**
   * The most that a server's clock and this process's monotonic one drift apart: 1 ms a second. NTP
   * slews a clock by half of that at most.
   */
  public static final long MAX_DRIFT_MICROS_PER_SECOND = 1_000;

  /**
   * The most that the wall clock may have moved against the monotonic one since a measurement: 20
   * ms. A pause of the thread between reading the one and the other looks like a short step.
   */
  public static final Duration STEP_LIMIT = Duration.ofMillis(20);

  /** Returned instead of a version if none may be drawn now. */
  public static final long NOT_NOW = Long.MIN_VALUE;

  /** The number of round trips to each server, of which the shortest is kept. */
  private static final int ROUND_TRIPS = 3;

  /** The number of measurements after which a clock that steps again each time is given up. */
  private static final int MAX_ATTEMPTS = 5;

  /** A store may truncate its time to milliseconds. */
  private static final long TRUNCATED_MICROS = 1_000;

  /**
   * How long a measurement waits for the last servers after more than half have answered. Slower
   * answers are of no use: their uncertainty is above the limit.
   */
  private static final Duration STRAGGLERS = VersionClock.SKEW_LIMIT.multipliedBy(2);

  /** The least time between two measurements that are begun ahead of need. */
  private static final Duration RENEWAL_PAUSE = Duration.ofSeconds(1);

  private static final long LIMIT_MICROS = micros(VersionClock.SKEW_LIMIT);
  private static final long STEP_LIMIT_MICROS = micros(STEP_LIMIT);
  private static final long VALID_MICROS = micros(VALID_FOR);

  private final VersionClock clock;
  private final Supplier<
          ? extends CompletionStage<? extends List<Supplier<CompletionStage<Instant>>>>>
      servers;
  private final Listener listener;
  private final LongSupplier nanoTime;
  private volatile @Nullable Measured last;
  private volatile @Nullable KvException failure;
  private volatile long begunNanos;
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

  /** Both of this process's clocks at one moment. */
  private record Moment(long wallMicros, long nanos) {
    /** Returns the wall clock's time at a later reading of the monotonic one, without its steps. */
    long wallMicrosAt(long laterNanos) {
      return wallMicros + TimeUnit.NANOSECONDS.toMicros(laterNanos - nanos);
    }
  }

  /**
   * A measurement.
   *
   * @param skew how far the store's time is ahead of this process's
   * @param since the clocks before the first request was sent
   */
  private record Measured(ClockSkew skew, Moment since) {
    /** Returns how far a server's clock may have drifted until this process's time is this. */
    long driftMicros(long localMicros) {
      return (localMicros - since.wallMicros) * MAX_DRIFT_MICROS_PER_SECOND / 1_000_000;
    }
  }

  /** The store's time now, and whether a version may be drawn by it. */
  private record Reading(long micros, long uncertaintyMicros, boolean isRight) {}

  /**
   * Creates the view of a clock that has not been measured.
   *
   * @param clock this process's clock
   * @param servers returns what reads the clocks of the store's servers: {@link Store#serverTimes}
   * @param listener must not throw
   */
  public StoreClock(
      VersionClock clock,
      Supplier<? extends CompletionStage<? extends List<Supplier<CompletionStage<Instant>>>>>
          servers,
      Listener listener) {
    this(clock, servers, listener, System::nanoTime);
  }

  StoreClock(
      VersionClock clock,
      Supplier<? extends CompletionStage<? extends List<Supplier<CompletionStage<Instant>>>>>
          servers,
      Listener listener,
      LongSupplier nanoTime) {
    this.clock = clock;
    this.servers = servers;
    this.listener = listener;
    this.nanoTime = nanoTime;
  }

  /** Returns the view of a store's clock, which has not been measured. */
  public static StoreClock of(VersionClock clock, Store store, Listener listener) {
    return new StoreClock(
        clock, () -> CompletableFuture.completedFuture(store.serverTimes()), listener);
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
    return known == null ? clock.nowMicros() : read(known).micros;
  }

  /**
   * Returns how far {@link #nowMicros} may be wrong either way: ε. Null before the first
   * measurement.
   */
  public @Nullable Duration uncertainty() {
    Measured known = last;
    return known == null ? null : Duration.of(read(known).uncertaintyMicros, ChronoUnit.MICROS);
  }

  private Reading read(Measured known) {
    return read(known, nanoTime.getAsLong());
  }

  private Reading read(Measured known, long nanos) {
    long local = known.since.wallMicrosAt(nanos);
    long age = local - known.since.wallMicros;
    long step = Math.abs(clock.nowMicros() - local);
    long drift = known.driftMicros(local) + 1;
    long uncertainty = micros(known.skew.uncertainty()) + drift + step;
    boolean isRight =
        known.skew.isWithinLimit()
            && uncertainty <= LIMIT_MICROS
            && step <= STEP_LIMIT_MICROS
            && age <= VALID_MICROS;
    return new Reading(local + micros(known.skew.offset()), uncertainty, isRight);
  }

  /**
   * Returns whether an entry has expired by every clock that the store's servers may have, so that
   * it may be written as a delete. False before the first measurement: this process's clock alone
   * says nothing about theirs. A wall clock that was set since the measurement does not count
   * either, or one that jumps ahead would turn entries that are alive into deletes.
   */
  public boolean hasExpired(Instant expiry) {
    Measured known = last;
    if (known == null) {
      return false;
    }
    long local = known.since.wallMicrosAt(nanoTime.getAsLong());
    long margin = micros(known.skew.expiryMargin()) + known.driftMicros(local);
    return VersionClock.micros(expiry) + margin < Math.min(local, clock.nowMicros());
  }

  /** Returns whether a version may be drawn now, without a measurement first. */
  public boolean isRight() {
    Measured known = last;
    return known != null && read(known).isRight;
  }

  /**
   * Draws a version above the floor and above all that this process has drawn and seen, if the
   * store's time is known and has certainly passed the floor.
   *
   * @param floor the old store's last version, in microseconds since 1970; 0 if there was none
   * @return the version, or {@link #NOT_NOW}: then {@link #draw} waits until one may be drawn
   */
  public long drawNow(long floor) {
    Measured known = last;
    if (known == null) {
      return NOT_NOW;
    }
    long nanos = nanoTime.getAsLong();
    Reading now = read(known, nanos);
    renewAhead(known, nanos);
    return now.isRight && now.micros - now.uncertaintyMicros > floor
        ? clock.next(now.micros)
        : NOT_NOW;
  }

  /** Measures again before the measurement is too old, so that writes rarely wait for one. */
  private void renewAhead(Measured known, long nanos) {
    if (nanos - known.since.nanos > VALID_FOR.toNanos() / 2
        && nanos - begunNanos > RENEWAL_PAUSE.toNanos()) {
      measure();
    }
  }

  /**
   * Draws a version as {@link #drawNow} does, once one may be drawn, and at the latest at the
   * call's deadline.
   *
   * @return a stage that fails with {@code Transient} if no version may be drawn in time
   */
  public CompletionStage<Long> draw(long floor, Call call) {
    return draw(floor, call, 1);
  }

  private CompletionStage<Long> draw(long floor, Call call, int attempt) {
    long drawn = drawNow(floor);
    return drawn != NOT_NOW
        ? CompletableFuture.completedFuture(drawn)
        : Futures.within(
                call,
                require(),
                () ->
                    new KvException.Transient(
                        "the store's servers have not returned their time by the deadline; nothing"
                            + " was written: try again"))
            .thenCompose(right -> drawPast(floor, call, attempt));
  }

  /** Waits for the floor; the clock has been measured. */
  private CompletionStage<Long> drawPast(long floor, Call call, int attempt) {
    long drawn = drawNow(floor);
    if (drawn != NOT_NOW) {
      return CompletableFuture.completedFuture(drawn);
    }
    Measured known = last;
    Reading now = known == null ? null : read(known);
    if (now == null || !now.isRight) {
      if (attempt == MAX_ATTEMPTS) {
        throw new KvException.Transient(
            "this process's clock steps all the time; nothing was written: try again");
      }
      return draw(floor, call, attempt + 1);
    }
    long missing = Math.max(0, floor + now.uncertaintyMicros - now.micros) + 1;
    if (missing > TimeUnit.NANOSECONDS.toMicros(call.remaining().toNanos())) {
      throw new KvException.Transient(
          "writes are accepted once the store's time has passed the floor of the migration, in "
              + TimeUnit.MICROSECONDS.toMillis(missing)
              + " ms, which is after the deadline; nothing was written: try again");
    }
    return Futures.after(Duration.of(missing, ChronoUnit.MICROS))
        .thenCompose(passed -> drawPast(floor, call, attempt));
  }

  /**
   * Completes once a version may be drawn, at once if the clock is known to be right.
   *
   * @return a stage that fails with {@code Transient} if the clocks are too far apart or not known
   *     well enough, and as the measurement does if that cannot be determined. It has no deadline
   *     of its own: use {@link Futures#within} for that of a call.
   */
  public CompletionStage<Void> require() {
    if (isRight()) {
      return CompletableFuture.completedFuture(null);
    }
    return Futures.map(
        measure(),
        skew -> {
          String limit = VersionClock.SKEW_LIMIT.toMillis() + " ms";
          if (!skew.isWithinLimit()) {
            throw new KvException.Transient(
                "the store's clock is "
                    + skew
                    + ", at most "
                    + limit
                    + " are allowed; nothing was written: synchronize the clocks, then try again");
          }
          if (skew.uncertainty().compareTo(VersionClock.SKEW_LIMIT) > 0) {
            throw new KvException.Transient(
                String.format(
                    Locale.ROOT,
                    "the store's time is known to within %,d ms only, at most %s are allowed:"
                        + " its servers answer slowly, or their clocks differ; nothing was written:"
                        + " synchronize the servers' clocks, then try again",
                    skew.uncertainty().toMillis(),
                    limit));
          }
          return null;
        });
  }

  /** Measures the skew, or joins a measurement that has begun. */
  public CompletionStage<ClockSkew> measure() {
    CompletableFuture<ClockSkew> begun;
    Moment since;
    synchronized (this) {
      if (running != null) {
        return running;
      }
      begun = new CompletableFuture<>();
      running = begun;
      begunNanos = nanoTime.getAsLong();
      since = new Moment(clock.nowMicros(), begunNanos);
    }
    Futures.start(() -> servers.get().thenCompose(all -> new Poll(since, all).run()))
        .whenComplete((measured, error) -> end(begun, measured, error));
    return begun;
  }

  /**
   * How far a server's clock is ahead of this process's, in microseconds.
   *
   * @param low at least
   * @param high at most
   */
  private record Ahead(long low, long high) {
    Ahead narrower(Ahead other) {
      return other.high - other.low < high - low ? other : this;
    }
  }

  /** Asks all servers at once. */
  private final class Poll {
    private final Moment since;
    private final List<Supplier<CompletionStage<Instant>>> all;
    private final CompletableFuture<Measured> result = new CompletableFuture<>();
    private @Nullable Throwable error;
    private int answered;
    private int failed;
    private long low = Long.MAX_VALUE;
    private long high = Long.MIN_VALUE;

    Poll(Moment since, List<Supplier<CompletionStage<Instant>>> all) {
      this.since = since;
      this.all = List.copyOf(all);
    }

    CompletionStage<Measured> run() {
      if (all.isEmpty()) {
        throw new KvException.Transient("no server of the store is known: try again");
      }
      for (Supplier<CompletionStage<Instant>> server : all) {
        CompletionStage<Ahead> narrowest = roundTrip(server);
        for (int i = 1; i < ROUND_TRIPS; i++) {
          narrowest =
              narrowest.thenCompose(before -> roundTrip(server).thenApply(before::narrower));
        }
        narrowest.whenComplete(this::ended);
      }
      return result;
    }

    /** The monotonic clock times the round trip; a pause before the request adds uncertainty. */
    private CompletionStage<Ahead> roundTrip(Supplier<CompletionStage<Instant>> server) {
      long sent = since.wallMicrosAt(nanoTime.getAsLong());
      return Futures.start(server)
          .thenApply(
              time -> {
                long micros = VersionClock.micros(time);
                long received = since.wallMicrosAt(nanoTime.getAsLong());
                return new Ahead(micros - received, micros + TRUNCATED_MICROS - sent);
              });
    }

    private void ended(@Nullable Ahead server, @Nullable Throwable thrown) {
      boolean hasMostNow;
      boolean isDone;
      synchronized (this) {
        if (server == null) {
          failed++;
          error = error == null ? thrown : error;
        } else {
          answered++;
          low = Math.min(low, server.low);
          high = Math.max(high, server.high);
        }
        hasMostNow = server != null && isEnough(answered) && !isEnough(answered - 1);
        isDone = answered + failed == all.size();
      }
      if (isDone) {
        complete();
      } else if (hasMostNow) {
        Futures.after(STRAGGLERS).thenRun(this::complete);
      }
    }

    /** Any two processes have then heard of one server both. */
    private boolean isEnough(int servers) {
      return 2 * servers > all.size();
    }

    private void complete() {
      Measured measured = null;
      Throwable cause = null;
      synchronized (this) {
        if (isEnough(answered)) {
          Duration offset = Duration.ofNanos((low + high) * 500);
          Duration uncertainty = Duration.ofNanos((high - low) * 500);
          measured = new Measured(ClockSkew.of(offset, uncertainty), since);
        } else {
          cause = answered == 0 && error != null ? error : tooFew();
        }
      }
      if (measured != null) {
        result.complete(measured);
      } else {
        result.completeExceptionally(cause);
      }
    }

    private KvException tooFew() {
      return new KvException.Transient(
          "only "
              + answered
              + " of the store's "
              + all.size()
              + " servers have returned their time, and more than half are needed: try again",
          error == null ? null : Futures.readFailure(error));
    }
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
