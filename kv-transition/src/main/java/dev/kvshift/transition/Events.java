package dev.kvshift.transition;

import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Event;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Phase;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Reports the events of one transition store to its observer, whose faults are not passed on. Safe
 * for use by many threads.
 *
 * @param store the store's description
 */
record Events(KvObserver observer, String store) {
  static final String OLD = "old";
  static final String NEW = "new";
  static final String DONE = "done";
  static final String FAILED = "failed";
  static final String DROPPED = "dropped";
  static final String EQUAL = "equal";
  static final String DIFFERENT = "different";
  static final String CHANGED = "changed";

  /** Returns whether anybody watches, so that what costs something is measured. */
  boolean areObserved() {
    return observer != KvObserver.NONE;
  }

  /** Reports the phase in which a collection was opened, or which it has entered. */
  void phase(String collection, Phase phase) {
    report(Event.Kind.PHASE, collection, phase.word());
  }

  /** Reports how a shadow write has ended: done, failed or dropped. */
  void shadowWrite(String collection, String end) {
    report(Event.Kind.SHADOW_WRITE, collection, end);
  }

  /** Reports how a comparison of both sides has ended. */
  void compared(String collection, String end) {
    report(Event.Kind.COMPARISON, collection, end);
  }

  /** Reports that the old side had an entry that the new one missed. */
  void missHit(String collection) {
    report(Event.Kind.MISS_HIT, collection, "");
  }

  /** Reports that an answer of the old side was written to the new one before it was returned. */
  void helped(String collection) {
    report(Event.Kind.HELP, collection, "");
  }

  /** Reports that reads go to the old side because the new one fails, or go back to the new one. */
  void failedOver(String collection, String side) {
    report(Event.Kind.FAIL_OVER, collection, side);
  }

  /** Reports that an answer was discarded because the instance's lease had run out. */
  void leaseLost(String collection) {
    report(Event.Kind.LEASE_LOST, collection, "");
  }

  /** Reports how long a side has taken to answer a request of a phase that uses both. */
  void answered(String side, String collection, Duration duration) {
    report(
        Event.of(Event.Kind.SIDE_ANSWER, store, side)
            .withCollection(collection)
            .withDuration(duration));
  }

  /** Reports the skew of the new store's clock, or that it did not return its time. */
  void measured(@Nullable ClockSkew skew, @Nullable KvException failure) {
    if (skew != null) {
      report(Event.of(Event.Kind.SKEW, store, NEW).withDuration(skew.atLeast().abs()));
    }
    if (failure != null) {
      sideFailed(NEW, failure);
    }
  }

  /** Reports that a side could not be opened, or that its clock could not be read. */
  void sideFailed(String side, KvException error) {
    report(Event.of(Event.Kind.SIDE_FAILURE, store, side).withError(error));
  }

  /** Reports that a side has failed a request for a collection. */
  void sideFailed(String side, String collection, KvException error) {
    report(
        Event.of(Event.Kind.SIDE_FAILURE, store, side).withCollection(collection).withError(error));
  }

  /** Reports the failure of a side. A refusal of the request itself does not count as one. */
  <T extends @Nullable Object> CompletionStage<T> reporting(
      String side, String collection, CompletionStage<T> request) {
    return request.whenComplete(
        (value, error) -> {
          if (error != null) {
            KvException cause = Futures.readFailure(error);
            if (!isRefusal(cause)) {
              sideFailed(side, collection, cause);
            }
          }
        });
  }

  /** Returns whether an error is no fault of the side: every sound side would return it. */
  static boolean isRefusal(KvException error) {
    return error instanceof KvException.CollectionFenced
        || error instanceof KvException.CollectionMoved
        || error instanceof KvException.InvalidArgument
        || error instanceof KvException.UnsupportedCapability;
  }

  private void report(Event.Kind kind, String collection, String detail) {
    report(Event.of(kind, store, detail).withCollection(collection));
  }

  private void report(Event event) {
    try {
      observer.happened(event);
    } catch (Throwable e) { // its faults must not become those of the operation
      Thread thread = Thread.currentThread();
      thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
    }
  }
}
