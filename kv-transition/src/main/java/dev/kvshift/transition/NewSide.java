package dev.kvshift.transition;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The new side of one collection. It is opened once the gate has named the copy that it must hold,
 * before it is needed, and checked again from time to time: it must still hold that copy. Safe for
 * use by many threads.
 */
final class NewSide {
  private final String name;
  private final Opener opener;
  private final StoreClock clock;
  private final Events events;
  private final SideCounter counter = new SideCounter();
  private volatile CopyView view = new CopyView();
  private volatile @Nullable Copy copy;
  private boolean isNamed;

  /** Opens the new store's collection, provided that it holds a copy. */
  interface Opener {
    /**
     * Opens it.
     *
     * @param copy the copy that the gate names; null if it names none, which is refused
     * @param floor the floor of the hand-over; 0 before it
     * @param known the collection that was opened for this copy before, which only has to be
     *     checked again; null if none was
     */
    CompletionStage<CopyView.Opened> open(
        @Nullable Copy copy, long floor, @Nullable StoreCollection known);

    /** Returns whether the new store shows deletes, as far as is known. */
    default boolean keepsDeletes() {
      return false;
    }
  }

  NewSide(String name, Opener opener, StoreClock clock, Events events, @Nullable Copy copy) {
    this.name = name;
    this.opener = opener;
    this.clock = clock;
    this.events = events;
    this.copy = copy;
    this.isNamed = copy != null;
  }

  /** Records the copy that the gate names. Another copy than before is opened again. */
  synchronized void learn(@Nullable Copy named) {
    isNamed = named != null;
    if (named != null && !named.equals(copy)) {
      copy = named;
      view = new CopyView();
    }
  }

  /** Returns the copy that the gate names; null if it names none. */
  @Nullable Copy copy() {
    return copy;
  }

  /** Returns the collection if it has been opened. */
  synchronized @Nullable StoreCollection openedOrNull() {
    return view.opened;
  }

  /**
   * Returns the collection if it is known to hold the copy, with the floor of the hand-over; null
   * if {@link #store} must look first.
   */
  @Nullable StoreCollection checkedOrNull(long floor) {
    return view.checked(floor);
  }

  /** Returns whether this process may draw a version for the new side now. */
  boolean isClockRight() {
    return clock.isRight();
  }

  /**
   * Returns the collection if readers find everything that was copied there; null otherwise, and
   * once the gate names no copy any more: after a way back nobody brings changes there.
   */
  synchronized @Nullable StoreCollection readable() {
    return isNamed ? view.readable() : null;
  }

  /** Returns whether the new store shows deletes, as far as is known. */
  boolean keepsDeletes() {
    return opener.keepsDeletes();
  }

  /** Returns the counts of the new side. */
  SideCounter counter() {
    return counter;
  }

  /** Sends a request to the new side, counts how it ends, and reports its failure. */
  <T extends @Nullable Object> CompletionStage<T> send(Supplier<CompletionStage<T>> request) {
    return Futures.start(request).whenComplete((answer, error) -> ended(error));
  }

  /**
   * Counts how a request to the new side has ended, and reports its failure.
   *
   * @param error null if it was answered
   */
  void ended(@Nullable Throwable error) {
    KvException cause = error == null ? null : Futures.readFailure(error);
    if (cause == null || Events.isRefusal(cause)) {
      counter.answered();
    } else {
      counter.failed();
      events.sideFailed(Events.NEW, name, cause);
    }
  }

  /** Adds what this process sees of the new side to a report. */
  InstanceReport.Use describe(InstanceReport.Use use) {
    ClockSkew skew = clock.skew();
    InstanceReport.Use described =
        use.withSkew(skew == null ? null : skew.atLeast().abs())
            .withUncertainty(clock.uncertainty())
            .withCounts(counter.counts())
            .withClockOrder(keepsDeletes());
    synchronized (this) {
      return described.withCopy(view.seen).withProblem(view.problemOr(clock));
    }
  }

  /**
   * Opens the collection once its migration is prepared, before it is needed, so that no write
   * waits for a connection at a step. Checks it again every 30 s. While it cannot be opened, the
   * pauses between attempts grow.
   *
   * @param onOpened called when it was opened for the first time
   */
  void prepare(Runnable onOpened) {
    if (copy == null) {
      return;
    }
    CopyView looked;
    synchronized (this) {
      looked = view;
      if (!looked.beginLook()) {
        return;
      }
    }
    if (!clock.isRight()) {
      clock.measure();
    }
    boolean isFirst = looked.opened == null;
    open(looked, 0)
        .thenAccept(
            opened -> {
              if (isFirst) {
                onOpened.run();
              }
            });
  }

  /**
   * Returns the collection, and opens it if necessary. Concurrent requests share one opening.
   *
   * @param floor the floor of the hand-over that it must have seen; 0 before it
   */
  CompletionStage<StoreCollection> store(long floor, Call call) {
    CompletableFuture<StoreCollection> result = new CompletableFuture<>();
    CopyView asked;
    synchronized (this) {
      asked = view;
      StoreCollection checked = asked.checked(floor);
      if (checked != null) {
        return CompletableFuture.completedFuture(checked);
      }
      if (asked.opening != null) {
        return beforeSending(asked.opening, call);
      }
      asked.opening = result;
    }
    open(asked, floor)
        .whenComplete(
            (opened, error) -> {
              synchronized (this) {
                asked.opening = null;
              }
              if (error == null) {
                result.complete(opened.collection());
              } else {
                result.completeExceptionally(Futures.readFailure(error));
              }
            });
    return beforeSending(result, call);
  }

  private CompletionStage<CopyView.Opened> open(CopyView opened, long floor) {
    Copy asked = copy;
    StoreCollection known;
    synchronized (this) {
      // At the hand-over requests wait, and a copy's tables never change.
      known = floor > 0 && asked != null && asked.equals(opened.seen) ? opened.opened : null;
    }
    return events
        .reporting(Events.NEW, name, Futures.start(() -> opener.open(asked, floor, known)))
        .whenComplete(
            (found, error) -> {
              synchronized (this) {
                opened.end(asked, floor, found, error == null ? null : Futures.readFailure(error));
              }
              if (error != null) {
                counter.failed();
              }
            });
  }

  /** Ends once this process may draw a version for the new side; see {@link StoreClock#require}. */
  CompletionStage<Void> requireClock(Call call) {
    return beforeSending(clock.require(), call);
  }

  /**
   * Ends once requests need not wait for the new side: the collection has been opened, and the
   * store's time was measured. Whether the new side works later does not matter.
   *
   * @param floor the floor of the hand-over that it must have seen; 0 before it
   */
  CompletionStage<?> warmUp(long floor, Call call) {
    return store(floor, call)
        .thenCompose(
            store ->
                clock.skew() == null
                    ? beforeSending(clock.measure(), call)
                    : CompletableFuture.completedFuture(null));
  }

  /** Draws a version by the new side's time, above the floor; see {@link StoreClock#drawNow}. */
  long drawNow(long floor) {
    return clock.drawNow(floor);
  }

  /** Returns whether a version was drawn by the new side's time longer ago than that. */
  boolean isOlder(long version, Duration age) {
    return TimeUnit.MICROSECONDS.toNanos(clock.nowMicros() - version) > age.toNanos();
  }

  /** Draws a version by the new side's time, above the floor; see {@link StoreClock#draw}. */
  CompletionStage<Long> draw(long floor, Call call) {
    return beforeSending(clock.draw(floor, call), call);
  }

  /**
   * Waits for a precondition of a request, at most until the request's deadline: a new side that
   * neither opens nor returns its time must not block its callers.
   */
  <T> CompletionStage<T> beforeSending(CompletionStage<T> needed, Call call) {
    return Futures.within(
        call,
        needed,
        () ->
            new KvException.Transient(
                "the new side of collection "
                    + name
                    + " was not ready by the deadline, and nothing was sent: try again"));
  }
}
