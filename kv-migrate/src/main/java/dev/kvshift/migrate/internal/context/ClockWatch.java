package dev.kvshift.migrate.internal.context;

import dev.kvshift.api.KvException;
import java.time.Duration;

/**
 * Measures the clocks of both stores periodically while a run lasts: a clock that was right at the
 * start can step later. Fails once one is more than 250 ms off. A failed measurement proves nothing
 * and is repeated.
 */
public final class ClockWatch extends BackgroundTask {
  /** Time between two measurements. */
  public static final Duration INTERVAL = Duration.ofSeconds(30);

  private final RunContext context;
  private final Duration interval;

  /** Creates a watch; the run has measured the clocks before it. */
  public ClockWatch(RunContext context, Duration interval) {
    super("kvshift-clocks-" + context.collection());
    this.context = context;
    this.interval = interval;
  }

  @Override
  protected void run() {
    while (!isClosing()) {
      pause(interval);
      if (!isClosing()) {
        measure();
      }
    }
  }

  private void measure() {
    StoreClocks clocks;
    try {
      clocks = StoreClocks.measure(context);
    } catch (KvException.Transient | KvException.UnknownOutcome e) {
      return;
    }
    clocks.requireWithinLimit();
  }
}
