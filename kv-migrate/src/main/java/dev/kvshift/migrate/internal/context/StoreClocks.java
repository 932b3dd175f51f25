package dev.kvshift.migrate.internal.context;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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
  /** Measures both clocks; rows are judged by this measurement from then on. */
  public static StoreClocks measure(RunContext context) {
    Duration patience = context.options().patience();
    StoreClocks measured =
        new StoreClocks(
            measure(context.source()::serverTimes, context.clock(), patience),
            measure(context.target()::serverTimes, context.clock(), patience));
    context.clocks().note(measured);
    return measured;
  }

  /** Measures both clocks against one, each for as long as the patience. */
  public static StoreClocks measure(Store source, Store target, Clock clock, Duration patience) {
    return new StoreClocks(
        measure(source::serverTimes, clock, patience),
        measure(target::serverTimes, clock, patience));
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
              + skew.against("the runner's")
              + ", and 250 ms are allowed: synchronize the clocks, and start the"
              + " run again");
    }
  }

  private static ClockSkew measure(
      Supplier<List<Supplier<CompletionStage<Instant>>>> servers, Clock clock, Duration patience) {
    StoreClock measuring =
        new StoreClock(
            new VersionClock(clock),
            () -> CompletableFuture.completedFuture(servers.get()),
            StoreClock.Listener.NONE);
    return Await.patiently(patience, measuring::measure);
  }
}
