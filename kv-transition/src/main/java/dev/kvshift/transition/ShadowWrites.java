package dev.kvshift.transition;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.concurrent.Semaphore;

/**
 * Sends what the old side has committed to the new one too, on a best-effort basis: once, in the
 * background, and no more than {@link #MAX_IN_FLIGHT} at a time. A write that is dropped or fails
 * is counted and never felt by the request; the stream brings it. Safe for use by many threads.
 */
final class ShadowWrites {
  /** The writes in flight above which further ones are dropped. */
  static final int MAX_IN_FLIGHT = 256;

  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final String name;
  private final NewSide newSide;
  private final Events events;
  private final Semaphore free = new Semaphore(MAX_IN_FLIGHT);

  ShadowWrites(String name, NewSide newSide, Events events) {
    this.name = name;
    this.newSide = newSide;
    this.events = events;
  }

  /**
   * Sends a write, or drops it.
   *
   * @param mutation a write with the version that the old side has given it
   */
  void send(StoreKey key, Mutation mutation) {
    StoreCollection store = newSide.openedOrNull();
    if (store == null || !free.tryAcquire()) {
      newSide.counter().failed();
      events.shadowWrite(name, Events.DROPPED);
      return;
    }
    Call call = Call.within(TIMEOUT);
    Futures.start(
            () -> {
              store.check(key, mutation);
              return newSide
                  .requireClock(call)
                  .thenCompose(known -> store.write(key, mutation, call));
            })
        .whenComplete(
            (version, error) -> {
              free.release();
              if (error == null) {
                newSide.counter().answered();
                events.shadowWrite(name, Events.DONE);
              } else {
                failed(Futures.writeFailure(error));
              }
            });
  }

  private void failed(KvException error) {
    newSide.counter().failed();
    events.shadowWrite(name, Events.FAILED);
    events.sideFailed(Events.NEW, name, error);
  }
}
