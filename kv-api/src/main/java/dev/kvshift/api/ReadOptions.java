package dev.kvshift.api;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Options of a read: its time-out. Immutable. */
public final class ReadOptions {
  /** The shortest time-out: 1 ms. */
  public static final Duration MIN_TIMEOUT = Duration.ofMillis(1);

  /** The longest time-out: 10 min. */
  public static final Duration MAX_TIMEOUT = Duration.ofMinutes(10);

  private static final ReadOptions NONE = new ReadOptions(null);

  private final @Nullable Duration timeout;

  private ReadOptions(@Nullable Duration timeout) {
    this.timeout = checkedTimeout(timeout);
  }

  /** Returns the options of a plain read, with the store's time-out. */
  public static ReadOptions none() {
    return NONE;
  }

  /**
   * Returns the options of a read with a time-out.
   *
   * @param timeout 1 ms to 10 min
   * @throws KvException.InvalidArgument if it is null or out of that range
   */
  public static ReadOptions timeout(Duration timeout) {
    return NONE.withTimeout(KvException.InvalidArgument.requireNonNull(timeout, "time-out"));
  }

  /**
   * Returns the same options with another time-out.
   *
   * @param newTimeout 1 ms to 10 min; null for the store's
   * @throws KvException.InvalidArgument if it is out of that range
   */
  public ReadOptions withTimeout(@Nullable Duration newTimeout) {
    return new ReadOptions(newTimeout);
  }

  /**
   * Returns how long the call may take, all its keys included; null for the store's time-out, which
   * its connection string sets.
   */
  public @Nullable Duration timeout() {
    return timeout;
  }

  static @Nullable Duration checkedTimeout(@Nullable Duration timeout) {
    if (timeout != null
        && (timeout.compareTo(MIN_TIMEOUT) < 0 || timeout.compareTo(MAX_TIMEOUT) > 0)) {
      throw new KvException.InvalidArgument("time-out of " + timeout + ": give 1 ms to 10 min");
    }
    return timeout;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ReadOptions that && Objects.equals(timeout, that.timeout);
  }

  @Override
  public int hashCode() {
    return Objects.hashCode(timeout);
  }

  @Override
  public String toString() {
    return "ReadOptions[timeout=" + timeout + "]";
  }
}
