package dev.kvshift.migrate.internal.context;

import com.google.common.base.Ticker;
import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything that the parts of one run share.
 *
 * @param collection the collection's name
 * @param layout its layout on the target
 * @param source the side that the collection leaves
 * @param target the side that it moves to
 * @param options limits and times
 * @param clock the wall clock
 * @param workers the threads for work that may block
 * @param clocks the last measurement of the stores' clocks
 * @param throttle holds all scans to their rate
 * @param copyFrom opens the snapshot that the copy scans; null if it scans the source
 */
public record RunContext(
    String collection,
    Layout layout,
    SourceCollection source,
    TargetCollection target,
    MigrationOptions options,
    Clock clock,
    WorkerPool workers,
    MeasuredClocks clocks,
    ScanThrottle throttle,
    @Nullable Supplier<Store> copyFrom) {
  /** Creates a context whose copy scans the source, and whose clocks have not been measured. */
  public RunContext(
      String collection,
      Layout layout,
      SourceCollection source,
      TargetCollection target,
      MigrationOptions options,
      Clock clock,
      WorkerPool workers) {
    this(
        collection,
        layout,
        source,
        target,
        options,
        clock,
        workers,
        new MeasuredClocks(),
        new ScanThrottle(
            options.scanRate(), options.pageRows(), options.latencyLimit(), Ticker.systemTicker()),
        null);
  }

  /** Returns the same context, whose cutover also leaves some services behind. */
  public RunContext givingUp(Set<String> services) {
    Set<String> all = new HashSet<>(options.givenUp());
    all.addAll(services);
    return new RunContext(
        collection,
        layout,
        source,
        target,
        options.toBuilder().givingUp(all).build(),
        clock,
        workers,
        clocks,
        throttle,
        copyFrom);
  }

  /** Returns the same context, whose copy scans a snapshot; null for the source. */
  public RunContext copyingFrom(@Nullable Supplier<Store> snapshot) {
    return new RunContext(
        collection, layout, source, target, options, clock, workers, clocks, throttle, snapshot);
  }

  /** Returns the time before which a row must have expired to be dead on both stores. */
  public Instant expiredBefore() {
    return clock.instant().minus(clocks.expiryMargin());
  }

  /** Returns whether one store may take a row with this expiry for live, the other for dead. */
  public boolean isExpiring(@Nullable Instant expiry, Instant now) {
    Duration margin = clocks.expiryMargin();
    return expiry != null && expiry.isAfter(now.minus(margin)) && expiry.isBefore(now.plus(margin));
  }

  /** Waits for a request that is safe to repeat, for as long as the options' patience. */
  public <T extends @Nullable Object> T await(Supplier<CompletionStage<T>> request) {
    return Await.patiently(options.patience(), request);
  }

  /** Waits like {@link #await(Supplier)}; the first attempt was sent ahead. */
  public <T extends @Nullable Object> T await(
      CompletionStage<T> prefetched, Supplier<CompletionStage<T>> request) {
    return Await.patiently(options.patience(), prefetched, request);
  }
}
