package dev.kvshift.migrate.internal.context;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.VersionClock;
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
    StoreClocks measured =
        new StoreClocks(
            measure(context, context.source()::serverTimes),
            measure(context, context.target()::serverTimes));
    context.clocks().note(measured);
    return measured;
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
      RunContext context, Supplier<List<Supplier<CompletionStage<Instant>>>> servers) {
    StoreClock clock =
        new StoreClock(
            new VersionClock(context.clock()),
            () -> CompletableFuture.completedFuture(servers.get()),
            StoreClock.Listener.NONE);
    return context.await(clock::measure);
  }
}
