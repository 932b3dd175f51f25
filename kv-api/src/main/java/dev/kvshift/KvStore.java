package dev.kvshift;

import dev.kvshift.Pending.Effect;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.api.Layout;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A key-value store: a thin view of the database that the connection string names.
 *
 * <p>Safe for use by many threads. A service opens one and keeps it. Closing the store closes its
 * collections and locks. Reads in flight fail; writes in flight fail with {@link
 * KvException.UnknownOutcome} unless they were certainly not applied; later calls fail with {@link
 * KvException.Permanent}. Closing it again does nothing.
 */
public final class KvStore implements AutoCloseable {
  private static final Duration MIN_PING = Duration.ofMillis(1);
  private static final Duration MAX_PING = Duration.ofMinutes(1);

  /** Longer than any driver takes to create tables and to wait until all servers agree on them. */
  private static final Duration OPEN_TIMEOUT = Duration.ofMinutes(5);

  private final Store store;
  private final StoreOptions options;

  private KvStore(Store store, StoreOptions options) {
    this.store = Objects.requireNonNull(store, "store");
    this.options = Objects.requireNonNull(options, "options");
  }

  /** Returns a view of an open store, which is closed with the view. */
  public static KvStore over(Store store) {
    return over(store, StoreOptions.defaults());
  }

  /** Returns a view of an open store with options. The store is closed with the view. */
  public static KvStore over(Store store, StoreOptions options) {
    return new KvStore(store, options);
  }

  /**
   * Opens a collection, and creates it if it does not exist and the store allows that.
   *
   * @param name a letter a-z, then at most 31 of a-z, 0-9 and either '-' or '_'; does not end in
   *     {@code _shards}
   * @throws KvException.InvalidArgument if an argument is null
   * @throws KvException.Permanent if the name is wrong, the collection has another layout, or a
   *     migration is still filling it
   * @throws KvException.Transient if the store cannot be reached, or has not answered after 5 min;
   *     for a store that is only read, also while the collection is still being copied
   */
  public KvCollection collection(String name, Layout layout) {
    InvalidArgument.requireNonNull(name, "collection name");
    InvalidArgument.requireNonNull(layout, "layout");
    CollectionRecord.requireOwnName(name);
    StoreCollection opened =
        Pending.await(
            () ->
                Pending.send(
                    Effect.READ,
                    Call.within(OPEN_TIMEOUT),
                    () ->
                        store.open(
                            name, layout, options.isReadOnly() ? Claim.READ : Claim.ACTIVE)));
    return new KvCollection(
        new CollectionOperations(opened, store.description(), store.limits(), options));
  }

  /**
   * Returns a space of locks.
   *
   * @throws KvException.UnsupportedCapability if the store has none
   * @throws KvException.Permanent if the store was opened for reading
   */
  public Locks locks(String space) {
    if (options.isReadOnly()) {
      throw new KvException.Permanent(
          store.description()
              + " was opened for reading: open it without access=read to take locks");
    }
    return new Locks(
        store.locks(InvalidArgument.requireNonNull(space, "lock space")),
        store.limits(),
        options.executor());
  }

  /**
   * Checks that the database answers, as a service's readiness probe does. Returns when a server
   * has answered. One server is enough; the check does not show whether enough of them are up for
   * the configured consistency.
   *
   * @param within how long to wait, 1 ms to 1 min
   * @throws KvException.InvalidArgument if the time is null or out of that range
   * @throws KvException.Transient if no server answers within that time
   * @throws KvException.Permanent if the store is closed
   */
  public void ping(Duration within) {
    InvalidArgument.requireNonNull(within, "time-out of a ping");
    if (within.compareTo(MIN_PING) < 0 || within.compareTo(MAX_PING) > 0) {
      throw new InvalidArgument("a ping within " + within + ": give 1 ms to 1 min");
    }
    Pending.await(() -> Pending.send(Effect.READ, Call.within(within), () -> serverTime(within)));
  }

  private CompletionStage<Instant> serverTime(Duration within) {
    return store
        .serverTime()
        .thenApply(time -> time)
        .toCompletableFuture()
        .orTimeout(within.toMillis(), TimeUnit.MILLISECONDS)
        .exceptionallyCompose(
            error ->
                CompletableFuture.failedFuture(
                    error instanceof TimeoutException
                        ? new KvException.Transient(
                            "no server of "
                                + store.description()
                                + " answered within "
                                + within.toMillis()
                                + " ms: try again, or see whether it is up",
                            error)
                        : error));
  }

  @Override
  public void close() {
    store.close();
  }

  /** Returns the store's description, without secrets. */
  @Override
  public String toString() {
    return store.description();
  }
}
