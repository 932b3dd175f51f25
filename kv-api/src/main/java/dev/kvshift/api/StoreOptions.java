package dev.kvshift.api;

import dev.kvshift.api.KvException.InvalidArgument;
import java.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;

/**
 * The options of an open store: its observer, the executor of its stages, the clock of TTLs, the
 * cohort that reads from a new store first, and whether it is only read. Immutable.
 */
public final class StoreOptions {
  private static final int LEAST_THREADS = 4;

  private static final StoreOptions DEFAULTS =
      new StoreOptions(KvObserver.NONE, defaultExecutor(), Clock.systemUTC(), Cohort.NONE, false);

  private final KvObserver observer;
  private final Executor executor;
  private final Clock clock;
  private final Cohort cohort;
  private final boolean readOnly;

  private StoreOptions(
      KvObserver observer, Executor executor, Clock clock, Cohort cohort, boolean readOnly) {
    this.observer = observer;
    this.executor = executor;
    this.clock = clock;
    this.cohort = cohort;
    this.readOnly = readOnly;
  }

  /**
   * Returns the default options: no observer, the common pool as executor, the system's clock. On
   * machines with one or two processors the executor is a pool of four daemon threads, which all
   * stores share.
   */
  public static StoreOptions defaults() {
    return DEFAULTS;
  }

  /** With one or two processors, {@link CompletableFuture} would start a thread for each action. */
  private static Executor defaultExecutor() {
    return ForkJoinPool.getCommonPoolParallelism() > 1
        ? ForkJoinPool.commonPool()
        : new ForkJoinPool(
            LEAST_THREADS, ForkJoinPool.defaultForkJoinWorkerThreadFactory, null, true);
  }

  /** Returns the same options with an observer, notified of operations, warnings and events. */
  public StoreOptions withObserver(KvObserver newObserver) {
    return new StoreOptions(
        InvalidArgument.requireNonNull(newObserver, "observer"), executor, clock, cohort, readOnly);
  }

  /**
   * Returns the same options with the executor on which asynchronous operations complete their
   * stages. Actions that depend on a stage run there and not on a driver's thread, so they may
   * block. Calls of the synchronous methods do not need the executor and never wait for it.
   *
   * <p>With {@code Runnable::run} stages complete on the driver's threads, which saves the
   * hand-over. A blocking call there would stall every request of the store, so it fails with
   * {@link KvException.Permanent}.
   */
  public StoreOptions withExecutor(Executor newExecutor) {
    return new StoreOptions(
        observer, InvalidArgument.requireNonNull(newExecutor, "executor"), clock, cohort, readOnly);
  }

  /**
   * Returns the same options with the clock from which a TTL is counted, for tests that move it.
   */
  public StoreOptions withClock(Clock newClock) {
    return new StoreOptions(
        observer, executor, InvalidArgument.requireNonNull(newClock, "clock"), cohort, readOnly);
  }

  /** Returns the same options with the main keys that are read from the new store first. */
  public StoreOptions withCohort(Cohort newCohort) {
    return new StoreOptions(
        observer, executor, clock, InvalidArgument.requireNonNull(newCohort, "cohort"), readOnly);
  }

  /**
   * Returns the same options for a service that only reads. Its writes and locks are refused with
   * {@link KvException.Permanent}. It may open a collection that a migration still fills, once
   * everything was copied: it then sees the old store's state as late as the migration's lag, so
   * not always its own process's writes to the old store.
   *
   * <p>A connection string with {@code access=read} has the same effect.
   */
  public StoreOptions readOnly() {
    return new StoreOptions(observer, executor, clock, cohort, true);
  }

  /** Returns whether the store is only read. */
  public boolean isReadOnly() {
    return readOnly;
  }

  /** Returns the observer; {@link KvObserver#NONE} by default. */
  public KvObserver observer() {
    return observer;
  }

  /** Returns the executor on which stages complete. */
  public Executor executor() {
    return executor;
  }

  /** Returns the clock from which a TTL is counted. */
  public Clock clock() {
    return clock;
  }

  /** Returns the main keys that are read from the new store first; none by default. */
  public Cohort cohort() {
    return cohort;
  }
}
