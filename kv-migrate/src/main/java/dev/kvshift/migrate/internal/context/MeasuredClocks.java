package dev.kvshift.migrate.internal.context;

import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The last measurement of the stores' clocks in a run. Safe for use by many threads. */
public final class MeasuredClocks {
  private volatile @Nullable StoreClocks last;

  void note(StoreClocks measured) {
    last = measured;
  }

  /**
   * Returns how long ago a row must have expired by the runner's clock to be dead on both stores,
   * and how far ahead its expiry must be to be live on both. The stores decide, so the uncertainty
   * of their clocks is included.
   */
  Duration expiryMargin() {
    StoreClocks known = last;
    if (known == null) {
      return VersionClock.SKEW_LIMIT;
    }
    Duration source = known.source().expiryMargin();
    Duration target = known.target().expiryMargin();
    return source.compareTo(target) > 0 ? source : target;
  }
}
