package dev.kvshift.migrate.internal.context;

import dev.kvshift.api.KvException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * The clocks of both stores against the runner's. The stores decide by their clocks when an entry
 * has expired, and the source which version a write gets, so no row may be judged by the runner's
 * clock unless all three agree.
 *
 * @param source the source's clock
 * @param target the target's clock
 */
public record StoreClocks(ClockSkew source, ClockSkew target) {
  private static final int MEASUREMENTS = 3;

  /** Measures both clocks. */
  public static StoreClocks measure(RunContext context) {
    return new StoreClocks(
        measure(context, context.source()::serverTime),
        measure(context, context.target()::serverTime));
  }

  /**
   * Checks both clocks.
   *
   * @throws KvException.Permanent if one is more than 250 ms off, naming it
   */
  public void requireWithinLimit() {
    require("source", source);
    require("target", target);
  }

  private static void require(String side, ClockSkew skew) {
    if (!skew.isWithinLimit()) {
      throw new KvException.Permanent(
          "the clock of the "
              + side
              + " is "
              + skew
              + ", and 250 ms are allowed: synchronize the clocks, and start the"
              + " run again");
    }
  }

  /** Measures a clock several times and keeps the measurement with the shortest round trip. */
  private static ClockSkew measure(
      RunContext context, Supplier<CompletionStage<Instant>> serverTime) {
    ClockSkew best = measureOnce(context, serverTime);
    for (int i = 1; i < MEASUREMENTS; i++) {
      ClockSkew next = measureOnce(context, serverTime);
      if (next.roundTrip().compareTo(best.roundTrip()) < 0) {
        best = next;
      }
    }
    return best;
  }

  private static ClockSkew measureOnce(
      RunContext context, Supplier<CompletionStage<Instant>> serverTime) {
    Clock clock = context.clock();
    Instant sent = clock.instant();
    long sentNanos = System.nanoTime();
    Instant server = context.await(serverTime);
    Duration roundTrip = Duration.ofNanos(System.nanoTime() - sentNanos);
    return ClockSkew.of(sent, server, sent.plus(roundTrip));
  }
}
