package dev.kvshift.transition;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * Writes to the new side until it acknowledges or the deadline passes. The version stays the same,
 * so that an attempt whose outcome is unknown is harmless, however late it arrives. Safe for use by
 * many threads.
 */
final class NewWrites {
  /**
   * The age above which a write is no longer sent, since a process can be paused for longer than
   * the deadline of its call: protocol, 2.
   */
  static final Duration OLDEST = Duration.ofSeconds(30);

  /** The first back-off before a write is repeated; doubled each time. */
  private static final Duration FIRST_BACKOFF = Duration.ofMillis(5);

  private static final Duration LAST_BACKOFF = Duration.ofMillis(500);

  private final String name;
  private final NewSide newSide;
  private final Supplier<Lease.Moment> clocks;

  NewWrites(String name, NewSide newSide, Supplier<Lease.Moment> clocks) {
    this.name = name;
    this.newSide = newSide;
    this.clocks = clocks;
  }

  /**
   * Writes a row to the new side.
   *
   * @param floor the floor of the hand-over; 0 before it
   * @param mutation a write with its version
   */
  CompletionStage<Long> write(long floor, StoreKey key, Mutation mutation, Call call) {
    return new Attempts(floor, key, mutation, call).next(FIRST_BACKOFF, false);
  }

  private final class Attempts {
    private final long floor;
    private final StoreKey key;
    private final Mutation mutation;
    private final Call call;
    private final Lease.Moment begun = clocks.get();

    Attempts(long floor, StoreKey key, Mutation mutation, Call call) {
      this.floor = floor;
      this.key = key;
      this.mutation = mutation;
      this.call = call;
    }

    CompletionStage<Long> next(Duration backoff, boolean maybeApplied) {
      return newSide
          .store(floor, call)
          .thenCompose(store -> newSide.requireClock(call).thenCompose(known -> send(store)))
          .handle(
              (version, error) ->
                  error == null
                      ? CompletableFuture.completedFuture(version)
                      : failed(Futures.writeFailure(error), backoff, maybeApplied))
          .thenCompose(stage -> stage);
    }

    private CompletionStage<Long> send(StoreCollection store) {
      if (isTooOld()) {
        return CompletableFuture.failedFuture(
            new KvException.Transient(
                "collection "
                    + name
                    + ": a write older than "
                    + OLDEST.toSeconds()
                    + " s was not sent to the new side, as this process was paused: try again"));
      }
      return newSide.send(() -> store.write(key, mutation, call));
    }

    private boolean isTooOld() {
      Lease.Moment now = clocks.get();
      return now.nanos() - begun.nanos() > OLDEST.toNanos()
          || Math.abs(now.wallMillis() - begun.wallMillis()) > OLDEST.toMillis();
    }

    private CompletionStage<Long> failed(
        KvException cause, Duration backoff, boolean maybeApplied) {
      boolean isUnknown = cause instanceof KvException.UnknownOutcome;
      boolean mayRepeat = isUnknown || cause instanceof KvException.Transient;
      if (!mayRepeat || isTooOld() || call.remaining().compareTo(backoff) <= 0) {
        return CompletableFuture.failedFuture(maybeApplied && !isUnknown ? lost(cause) : cause);
      }
      Duration doubled = backoff.multipliedBy(2);
      Duration after = doubled.compareTo(LAST_BACKOFF) < 0 ? doubled : LAST_BACKOFF;
      return Futures.after(backoff).thenCompose(waited -> next(after, maybeApplied || isUnknown));
    }
  }

  private static KvException lost(KvException cause) {
    return new KvException.UnknownOutcome(
        "an earlier attempt may have been applied: read back, or write again", cause);
  }
}
