package dev.kvshift.transition;

import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Sends what one side has committed to the other one too, on a best-effort basis: once, in the
 * background, and no more than {@link #MAX_IN_FLIGHT} at a time. A write that is dropped or fails
 * is counted and never felt by the request; the stream brings it to the new side, the way back to
 * the old one. Safe for use by many threads.
 */
final class ShadowWrites {
  /** The writes in flight above which further ones are dropped. */
  static final int MAX_IN_FLIGHT = 256;

  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final String name;
  private final Target target;
  private final Events events;
  private final Semaphore free = new Semaphore(MAX_IN_FLIGHT);

  /** The side that gets them. */
  interface Target {
    /** Returns the side's word in events. */
    String side();

    /** Returns its collection; null if it is not open. */
    @Nullable StoreCollection openedOrNull();

    /** Ends once a write may be sent. */
    CompletionStage<Void> ready(Call call);

    /** Counts the end of a write, or of one that was dropped. */
    void ended(boolean isDone);
  }

  ShadowWrites(String name, Target target, Events events) {
    this.name = name;
    this.target = target;
    this.events = events;
  }

  /**
   * Sends a write, or drops it.
   *
   * @param mutation a write with its version
   * @param epoch the epoch in which it was acknowledged
   */
  void send(StoreKey key, Mutation mutation, long epoch) {
    StoreCollection store = target.openedOrNull();
    if (store == null || !free.tryAcquire()) {
      target.ended(false);
      events.shadowWrite(name, Events.DROPPED);
      return;
    }
    Call call = Call.within(TIMEOUT).withEpoch(epoch);
    Futures.start(
            () -> {
              store.check(key, mutation);
              return target.ready(call).thenCompose(known -> store.write(key, mutation, call));
            })
        .whenComplete(
            (version, error) -> {
              free.release();
              target.ended(error == null);
              events.shadowWrite(name, error == null ? Events.DONE : Events.FAILED);
              if (error != null) {
                events.sideFailed(target.side(), name, Futures.writeFailure(error));
              }
            });
  }
}
