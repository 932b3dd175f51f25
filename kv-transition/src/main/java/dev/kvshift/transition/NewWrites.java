package dev.kvshift.transition;

import static java.util.Objects.requireNonNull;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

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
  private static final int MAX_DOUBLINGS = 10;

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
    return begin(new Attempts(floor, key, mutation, call, clocks.get()));
  }

  /**
   * Writes a row to the new side.
   *
   * @param floor the floor of the hand-over
   * @param mutation a write whose version was drawn just now, by the new side's clock
   */
  CompletionStage<Long> writeDrawn(long floor, StoreKey key, Mutation mutation, Call call) {
    StoreCollection checked = newSide.checkedOrNull(floor);
    return checked == null
        ? begin(new Attempts(floor, key, mutation, call, null))
        : repeated(
            Futures.start(() -> checked.write(key, mutation, call)), floor, key, mutation, call);
  }

  /**
   * Writes rows to the new side, in one request if it can. What fails is repeated for each alone.
   *
   * @param checked the new side, opened and checked
   * @param floor the floor of the hand-over
   * @param mutations writes whose versions were drawn just now, by the new side's clock
   */
  Map<StoreKey, CompletionStage<Long>> writeAllDrawn(
      StoreCollection checked, long floor, Map<StoreKey, Mutation> mutations, Call call) {
    Map<StoreKey, CompletionStage<Long>> sent = checked.writeAll(mutations, call);
    Map<StoreKey, CompletionStage<Long>> all = new LinkedHashMap<>();
    mutations.forEach(
        (key, mutation) ->
            all.put(key, repeated(Futures.start(() -> sent.get(key)), floor, key, mutation, call)));
    return all;
  }

  /** Repeats a write that was sent at once if it fails; one that succeeds costs no more. */
  private CompletionStage<Long> repeated(
      CompletionStage<Long> sent, long floor, StoreKey key, Mutation mutation, Call call) {
    return sent.exceptionallyCompose(
        error -> {
          Attempts attempts = new Attempts(floor, key, mutation, call, null);
          attempts.accept(null, error);
          return attempts;
        });
  }

  private static CompletionStage<Long> begin(Attempts attempts) {
    attempts.next();
    return attempts;
  }

  /** A write, from its first attempt to its end. */
  private final class Attempts extends CompletableFuture<Long>
      implements BiConsumer<@Nullable Long, @Nullable Throwable> {
    private final long floor;
    private final StoreKey key;
    private final Mutation mutation;
    private final Call call;

    /** When the write began; null if the new side's clock drew its version then, which tells. */
    private final Lease.@Nullable Moment begun;

    private int failedAttempts;
    private boolean maybeApplied;

    Attempts(long floor, StoreKey key, Mutation mutation, Call call, Lease.@Nullable Moment begun) {
      this.floor = floor;
      this.key = key;
      this.mutation = mutation;
      this.call = call;
      this.begun = begun;
    }

    void next() {
      orEnd(this::attempt);
    }

    /** Takes a step. Whatever it throws ends the write, or its caller would wait for ever. */
    private void orEnd(Runnable step) {
      try {
        step.run();
      } catch (Throwable e) {
        completeExceptionally(Futures.writeFailure(e));
      }
    }

    private void attempt() {
      StoreCollection checked = newSide.checkedOrNull(floor);
      if (checked == null || !newSide.isClockRight()) {
        newSide
            .store(floor, call)
            .thenCompose(store -> newSide.requireClock(call).thenApply(known -> store))
            .whenComplete((store, error) -> orEnd(() -> opened(store, error)));
      } else if (failedAttempts == 0) {
        send(checked); // it has begun just now
      } else {
        sendUnlessOld(checked);
      }
    }

    private void opened(StoreCollection store, @Nullable Throwable error) {
      if (error == null) {
        sendUnlessOld(store);
      } else {
        failed(error);
      }
    }

    private void sendUnlessOld(StoreCollection store) {
      if (isTooOld()) {
        failed(
            new KvException.Transient(
                "collection "
                    + name
                    + ": a write older than "
                    + OLDEST.toSeconds()
                    + " s was not sent to the new side, as this process was paused: try again"));
      } else {
        send(store);
      }
    }

    private void send(StoreCollection store) {
      Futures.start(() -> store.write(key, mutation, call)).whenComplete(this);
    }

    /** Takes the end of an attempt that was sent. */
    @Override
    public void accept(@Nullable Long version, @Nullable Throwable error) {
      orEnd(
          () -> {
            newSide.ended(error);
            if (error == null) {
              complete(version);
            } else {
              failed(error);
            }
          });
    }

    private boolean isTooOld() {
      if (begun == null) {
        return newSide.isOlder(requireNonNull(mutation.version()), OLDEST);
      }
      Lease.Moment now = clocks.get();
      return now.nanos() - begun.nanos() > OLDEST.toNanos()
          || Math.abs(now.wallMillis() - begun.wallMillis()) > OLDEST.toMillis();
    }

    private void failed(Throwable error) {
      KvException cause = Futures.writeFailure(error);
      boolean isUnknown = cause instanceof KvException.UnknownOutcome;
      boolean mayRepeat = isUnknown || cause instanceof KvException.Transient;
      Duration backoff = backoff();
      if (!mayRepeat || isTooOld() || call.remaining().compareTo(backoff) <= 0) {
        completeExceptionally(maybeApplied && !isUnknown ? lost(cause) : cause);
        return;
      }
      maybeApplied |= isUnknown;
      failedAttempts++;
      Futures.after(backoff).thenRun(this::next);
    }

    private Duration backoff() {
      Duration doubled = FIRST_BACKOFF.multipliedBy(1L << Math.min(failedAttempts, MAX_DOUBLINGS));
      return doubled.compareTo(LAST_BACKOFF) < 0 ? doubled : LAST_BACKOFF;
    }
  }

  private static KvException lost(KvException cause) {
    return new KvException.UnknownOutcome(
        "an earlier attempt may have been applied: read back, or write again", cause);
  }
}
