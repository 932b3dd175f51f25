package dev.kvshift.memory;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executor;

/** The options of an in-memory store, for tests that need more than a name. Immutable. */
public final class MemoryOptions {
  /** The default purge horizon of deleted and expired rows: ten days. */
  public static final Duration DEFAULT_PURGE_AFTER = Duration.ofDays(10);

  private static final MemoryOptions DEFAULTS = new MemoryOptions(new Members());

  private final Members members;

  private MemoryOptions(Members members) {
    this.members = members;
  }

  /** The members by name, copied on each change. */
  private static final class Members {
    private Clock clock = Clock.systemUTC();
    private VersionClock versions = VersionClock.ofProcess();
    private Duration purgeAfter = DEFAULT_PURGE_AFTER;
    private Set<Capability> capabilities = Set.of(Capability.values());
    private Executor executor = Runnable::run;
    private int faultsPerThousand;
    private long seed;
    private InjectedFaults injected = new InjectedFaults();

    private Members copy() {
      Members copy = new Members();
      copy.clock = clock;
      copy.versions = versions;
      copy.purgeAfter = purgeAfter;
      copy.capabilities = capabilities;
      copy.executor = executor;
      copy.faultsPerThousand = faultsPerThousand;
      copy.seed = seed;
      copy.injected = injected;
      return copy;
    }
  }

  /**
   * Returns the default options: the system's clock, the process's version clock, every capability,
   * requests served on the calling thread, no faults.
   */
  public static MemoryOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Returns the same options with another clock for expiry, versions, leases and fences, such as a
   * {@link MovableClock}. The clock of the first opener of a name holds for all.
   */
  public MemoryOptions withClock(Clock clock) {
    Members next = members.copy();
    next.clock = Objects.requireNonNull(clock, "clock");
    return new MemoryOptions(next);
  }

  /** Returns the same options with another clock for the versions that no leader issues. */
  public MemoryOptions withVersions(VersionClock versions) {
    Members next = members.copy();
    next.versions = Objects.requireNonNull(versions, "versions");
    return new MemoryOptions(next);
  }

  /**
   * Returns the same options with another purge horizon, after which deleted and expired rows are
   * forgotten. The horizon of the first opener of a name holds for all.
   */
  public MemoryOptions withPurgeAfter(Duration purgeAfter) {
    Members next = members.copy();
    next.purgeAfter = Objects.requireNonNull(purgeAfter, "purgeAfter");
    return new MemoryOptions(next);
  }

  /** Returns the same options without some capabilities, which the store then refuses. */
  public MemoryOptions without(Capability... missing) {
    EnumSet<Capability> left = EnumSet.noneOf(Capability.class);
    left.addAll(members.capabilities);
    left.removeAll(List.of(missing));
    Members next = members.copy();
    next.capabilities = Set.copyOf(left);
    return new MemoryOptions(next);
  }

  /**
   * Returns the same options with an executor that serves requests. Requests then complete on its
   * threads and in any order, as those of a remote store do.
   */
  public MemoryOptions withExecutor(Executor executor) {
    Members next = members.copy();
    next.executor = Objects.requireNonNull(executor, "executor");
    return new MemoryOptions(next);
  }

  /**
   * Returns the same options with faults: reads that fail with {@link KvException.Transient}, and
   * writes and lock requests that fail with it or with {@link KvException.UnknownOutcome}.
   *
   * @param perThousand how many of a thousand requests fail, 0 to 1,000
   * @param seed the seed; the same requests in the same order fail in the same way
   */
  public MemoryOptions withFaults(int perThousand, long seed) {
    if (perThousand < 0 || perThousand > 1_000) {
      throw new KvException.InvalidArgument(
          perThousand + " faults in a thousand requests: give 0 to 1000");
    }
    Members next = members.copy();
    next.faultsPerThousand = perThousand;
    next.seed = seed;
    return new MemoryOptions(next);
  }

  /** Returns the same options with faults that a test injects while the store is used. */
  public MemoryOptions withFaults(InjectedFaults injected) {
    Members next = members.copy();
    next.injected = Objects.requireNonNull(injected, "injected");
    return new MemoryOptions(next);
  }

  /** Returns the clock for expiry, versions, leases and fences. */
  public Clock clock() {
    return members.clock;
  }

  /** Returns the clock for the versions that no leader issues. */
  public VersionClock versions() {
    return members.versions;
  }

  /** Returns the purge horizon. */
  public Duration purgeAfter() {
    return members.purgeAfter;
  }

  /** Returns the capabilities of the opened store. */
  public Set<Capability> capabilities() {
    return members.capabilities;
  }

  /** Returns the executor that serves requests; by default it serves them on the calling thread. */
  public Executor executor() {
    return members.executor;
  }

  Faults faults() {
    return new Faults(members.faultsPerThousand, members.seed, members.injected);
  }
}
