package dev.kvshift.scylla;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.scylla.internal.session.DriverErrors;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A collection that was opened for reading and follows its record.
 *
 * <p>A migration that begins again fills a new incarnation, in tables of its own. A reader that
 * stayed with the old tables would return what the migration has given up, until they are dropped.
 * So this one compares the record's incarnation with its own every {@link #LOOK_EVERY}, beside a
 * request, and at once if the server refuses a read, as it does once the table is gone. In between,
 * it may return rows of the old incarnation. It never returns to an incarnation that it has left:
 * until the next one can be read, its reads fail with the error of opening that one, {@code
 * Transient} while the copy is being made.
 *
 * <p>Safe for use by many threads.
 */
final class FollowingReader implements StoreCollection {
  /**
   * The maximum time for which a reader stays with an incarnation that is no longer the record's.
   */
  static final Duration LOOK_EVERY = Duration.ofSeconds(30);

  /**
   * The time between a failed opening and the next one. Requests in between fail with its error.
   */
  static final Duration OPEN_AGAIN_AFTER = Duration.ofSeconds(1);

  private static final Logger LOG = LoggerFactory.getLogger(FollowingReader.class);

  /**
   * One incarnation of the collection, opened.
   *
   * @param rows the collection on that incarnation's tables
   * @param number the incarnation that the record named
   */
  record Incarnation(StoreCollection rows, long number) {}

  /** Access to the collection's record and tables. */
  interface Opener {
    /**
     * Returns the incarnation that the record names now.
     *
     * @param isRoutine whether it is enough to see what was acknowledged, as all readers look often
     */
    CompletionStage<Long> current(boolean isRoutine);

    /** Opens the incarnation that the record names now. */
    CompletionStage<Incarnation> open();
  }

  private final Opener opener;
  private final LongSupplier nanoTime;
  private volatile Incarnation opened;
  private volatile boolean outdated;
  private @Nullable CompletableFuture<Incarnation> following;
  private @Nullable KvException failure;
  private long openAgainNanos;
  private long lookAgainNanos;
  private boolean looking;

  FollowingReader(Incarnation opened, Opener opener, LongSupplier nanoTime) {
    this.opened = opened;
    this.opener = opener;
    this.nanoTime = nanoTime;
    lookAgainNanos = nanoTime.getAsLong() + LOOK_EVERY.toNanos();
  }

  private <T extends @Nullable Object> CompletionStage<T> read(
      Function<StoreCollection, CompletionStage<T>> request, Call call) {
    lookIfDue();
    if (outdated) {
      return followed(call).thenCompose(next -> request.apply(next.rows()));
    }
    Incarnation asked = opened;
    return orFollowed(asked, Futures.start(() -> request.apply(asked.rows())), request, call);
  }

  /** Returns the answer of an incarnation, or that of the next one if it was left since. */
  private <T extends @Nullable Object> CompletionStage<T> orFollowed(
      Incarnation asked,
      CompletionStage<T> answered,
      Function<StoreCollection, CompletionStage<T>> request,
      Call call) {
    return answered.exceptionallyCompose(
        error ->
            isRefusal(Futures.unwrap(error))
                ? Futures.within(call, lookFrom(asked, false), () -> Futures.readFailure(error))
                    .exceptionallyCompose(unread -> CompletableFuture.failedFuture(error))
                    .thenCompose(
                        isLeft ->
                            isLeft
                                ? followed(call).thenCompose(next -> request.apply(next.rows()))
                                : CompletableFuture.failedFuture(error))
                : CompletableFuture.failedFuture(error));
  }

  /** Returns whether the server refused the statement, as it does if a table does not exist. */
  private static boolean isRefusal(Throwable error) {
    return error instanceof KvException known && DriverErrors.wasRefusedUnread(known);
  }

  private void lookIfDue() {
    synchronized (this) {
      if (looking || outdated || nanoTime.getAsLong() - lookAgainNanos < 0) {
        return;
      }
      looking = true;
    }
    lookFrom(opened, true)
        .whenComplete(
            (isLeft, error) -> {
              synchronized (this) {
                looking = false;
                lookAgainNanos = nanoTime.getAsLong() + LOOK_EVERY.toNanos();
              }
            });
  }

  /** Reads the record, and returns whether it has left an incarnation. */
  private CompletionStage<Boolean> lookFrom(Incarnation asked, boolean isRoutine) {
    return Futures.start(() -> opener.current(isRoutine))
        .thenApply(
            number -> {
              if (number == asked.number()) {
                return false;
              }
              leave(asked, number);
              return true;
            });
  }

  private synchronized void leave(Incarnation left, long next) {
    if (opened.number() == left.number() && !outdated) {
      outdated = true;
      LOG.info(
          "collection {} has begun again: its reader follows from incarnation {} to {}",
          left.rows().name(),
          left.number(),
          next);
    }
  }

  /**
   * Returns the incarnation that the record names, and opens it if necessary, once for all
   * requests.
   */
  private CompletionStage<Incarnation> followed(Call call) {
    CompletableFuture<Incarnation> result;
    synchronized (this) {
      if (!outdated) {
        return CompletableFuture.completedFuture(opened);
      }
      if (following != null) {
        return within(call, following);
      }
      if (failure != null && nanoTime.getAsLong() - openAgainNanos < 0) {
        return CompletableFuture.failedFuture(failure);
      }
      result = new CompletableFuture<>();
      following = result;
    }
    Futures.start(opener::open).whenComplete((next, error) -> end(result, next, error));
    return within(call, result);
  }

  private void end(
      CompletableFuture<Incarnation> result,
      @Nullable Incarnation next,
      @Nullable Throwable error) {
    KvException cause = error == null ? null : Futures.readFailure(error);
    synchronized (this) {
      following = null;
      failure = cause;
      if (next != null) {
        opened = next;
        outdated = false;
        lookAgainNanos = nanoTime.getAsLong() + LOOK_EVERY.toNanos();
      } else {
        openAgainNanos = nanoTime.getAsLong() + OPEN_AGAIN_AFTER.toNanos();
      }
    }
    if (next != null) {
      result.complete(next);
    } else {
      result.completeExceptionally(cause);
    }
  }

  private CompletionStage<Incarnation> within(Call call, CompletionStage<Incarnation> opening) {
    return Futures.within(
        call,
        opening,
        () ->
            new KvException.Transient(
                "collection "
                    + name()
                    + " has begun again, and its next incarnation was not open by the deadline: try"
                    + " again"));
  }

  @Override
  public String name() {
    return opened.rows().name();
  }

  @Override
  public Layout layout() {
    return opened.rows().layout();
  }

  @Override
  public void check(StoreKey key, Mutation mutation) {
    opened.rows().check(key, mutation);
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    return this.<@Nullable Row>read(rows -> rows.get(key, call), call);
  }

  @Override
  public List<CompletionStage<@Nullable Row>> getAll(List<StoreKey> keys, Call call) {
    lookIfDue();
    return outdated ? StoreCollection.super.getAll(keys, call) : getAll(opened, keys, call);
  }

  private List<CompletionStage<@Nullable Row>> getAll(
      Incarnation asked, List<StoreKey> keys, Call call) {
    List<CompletionStage<@Nullable Row>> answered = asked.rows().getAll(keys, call);
    List<CompletionStage<@Nullable Row>> all = new ArrayList<>(keys.size());
    for (int i = 0; i < keys.size(); i++) {
      StoreKey key = keys.get(i);
      all.add(
          this.<@Nullable Row>orFollowed(
              asked, answered.get(i), rows -> rows.get(key, call), call));
    }
    return all;
  }

  /** Refused: the collection was opened for reading. */
  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return opened.rows().write(key, mutation, call);
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return read(rows -> rows.range(main, shard, range, limit, call), call);
  }

  @Override
  public long token(StoreKey key) {
    return opened.rows().token(key);
  }

  @Override
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
    return opened.rows().scanTasks(atLeast, call);
  }

  @Override
  public CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    return read(rows -> rows.scan(task, position, limit, call), call);
  }

  @Override
  public ChangeSource changes() {
    return opened.rows().changes();
  }

  @Override
  public Gate gate() {
    return opened.rows().gate();
  }
}
