package dev.kvshift.legacy.wire;

import dev.kvshift.spi.Limits;
import java.time.Duration;

/** What the legacy store accepts, over the network or in the process. Stateless. */
public final class LegacyLimits {
  public static final int MAX_KEY_BYTES = 65_535;
  public static final int MAX_VALUE_BYTES = 16 << 20;
  public static final int DEFAULT_IN_FLIGHT = 1_024;
  public static final int MAX_IN_FLIGHT = 4_096;
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

  /** The largest batch of changes that one read gives, and the longest that it waits. */
  public static final int MAX_CHANGE_BYTES = 16 << 20;

  public static final Duration MAX_CHANGE_WAIT = Duration.ofSeconds(60);

  /** The largest frame: a value or a page of the largest size, with its keys. */
  public static final int MAX_FRAME_BYTES = 40 << 20;

  /** The limits of a store that is opened without options. */
  public static final Limits DEFAULTS = of(DEFAULT_TIMEOUT, DEFAULT_IN_FLIGHT);

  private LegacyLimits() {}

  /** Returns how long a read of changes waits where its caller asks for so long. */
  public static Duration bounded(Duration wait) {
    if (wait.isNegative()) {
      return Duration.ZERO;
    }
    return wait.compareTo(MAX_CHANGE_WAIT) > 0 ? MAX_CHANGE_WAIT : wait;
  }

  /** Returns the limits as the SPI shows them. */
  public static Limits of(Duration timeout, int inFlight) {
    return Limits.defaults()
        .withMaxMainBytes(MAX_KEY_BYTES)
        .withMaxClusteringBytes(MAX_KEY_BYTES)
        .withMaxValueBytes(MAX_VALUE_BYTES)
        .withMaxInFlight(inFlight)
        .withTimeout(timeout);
  }
}
