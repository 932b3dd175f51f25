package dev.kvshift.transition;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * How far this process's version clock is from the new store's, measured when a collection is
 * opened there and every 30 s while it is written to. Safe for use by many threads.
 */
final class Skew {
  private static final Duration EVERY = Duration.ofSeconds(30);
  private static final long LIMIT_MICROS =
      TimeUnit.NANOSECONDS.toMicros(VersionClock.SKEW_LIMIT.toNanos());

  private final Side newSide;
  private final VersionClock clock;
  private long micros;
  private long measuredNanos;

  Skew(Side newSide, VersionClock clock) {
    this.newSide = newSide;
    this.clock = clock;
  }

  /** Measures. What the request itself takes counts in favour of the clock. */
  CompletionStage<Void> measure() {
    return newSide.store().thenCompose(this::measureAt);
  }

  private CompletionStage<Void> measureAt(Store store) {
    long before = clock.nowMicros();
    return store
        .serverTime()
        .thenAccept(
            time -> {
              long after = clock.nowMicros();
              long server = VersionClock.micros(time);
              note(Math.max(0, Math.max(before - server, server - after)));
            });
  }

  private synchronized void note(long newMicros) {
    micros = newMicros;
    measuredNanos = System.nanoTime();
  }

  /** Refuses to write with a clock that is too far off, and measures again where it is time to. */
  void require(String collection) {
    long known;
    synchronized (this) {
      known = micros;
      if (System.nanoTime() - measuredNanos > EVERY.toNanos() || known > LIMIT_MICROS) {
        measuredNanos = System.nanoTime();
        measure();
      }
    }
    if (known > LIMIT_MICROS) {
      throw new KvException.Transient(
          "this machine's clock is "
              + known / 1_000
              + " ms away from the new store's, at most "
              + VersionClock.SKEW_LIMIT.toMillis()
              + " are allowed; collection "
              + collection
              + " was not written: set the clock right, then try again");
    }
  }
}
