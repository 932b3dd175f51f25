package dev.kvshift.memory;

import dev.kvshift.api.Capability;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * How an in-memory store behaves, for tests that need more than a name. Immutable.
 *
 * @param clock the server's clock, for expiry, versions, leases and fences; that of the first
 *     opener of a name holds for all
 * @param versions issues the versions of writes where no leader does
 * @param purgeAfter how long deleted and expired rows are remembered; that of the first opener of a
 *     name holds for all
 * @param capabilities what the opened store can do; the rest is refused
 */
public record MemoryOptions(
    Clock clock, VersionClock versions, Duration purgeAfter, Set<Capability> capabilities) {
  /** How long deleted and expired rows are remembered where nothing else is said: ten days. */
  public static final Duration DEFAULT_PURGE_AFTER = Duration.ofDays(10);

  private static final MemoryOptions DEFAULTS =
      new MemoryOptions(
          Clock.systemUTC(),
          VersionClock.ofProcess(),
          DEFAULT_PURGE_AFTER,
          EnumSet.allOf(Capability.class));

  public MemoryOptions {
    capabilities = Set.copyOf(capabilities);
  }

  /** Returns the system's clock, the process's version clock and every capability. */
  public static MemoryOptions defaults() {
    return DEFAULTS;
  }

  /** Returns the same options with another clock for the server. */
  public MemoryOptions withClock(Clock newClock) {
    return new MemoryOptions(newClock, versions, purgeAfter, capabilities);
  }

  /** Returns the same options with another version clock. */
  public MemoryOptions withVersions(VersionClock newVersions) {
    return new MemoryOptions(clock, newVersions, purgeAfter, capabilities);
  }

  /** Returns the same options with another purge horizon. */
  public MemoryOptions withPurgeAfter(Duration newPurgeAfter) {
    return new MemoryOptions(clock, versions, newPurgeAfter, capabilities);
  }

  /** Returns the same options without some capabilities. */
  public MemoryOptions without(Capability... missing) {
    EnumSet<Capability> left = EnumSet.noneOf(Capability.class);
    left.addAll(capabilities);
    left.removeAll(List.of(missing));
    return new MemoryOptions(clock, versions, purgeAfter, left);
  }
}
