package dev.kvshift.transition;

import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Event;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.Phase;
import java.util.Locale;
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

  /** Reports the phase in which a collection was opened, or which it has entered. */
  void phase(String collection, Phase phase) {
    report(
        Event.of(Event.Kind.PHASE, store, phase.name().toLowerCase(Locale.ROOT).replace('_', '-'))
            .withCollection(collection));
  }

  /** Reports the skew of the new store's clock, or that it did not tell its time. */
  void measured(@Nullable ClockSkew skew, @Nullable KvException failure) {
    if (skew != null) {
      report(Event.of(Event.Kind.SKEW, store, NEW).withDuration(skew.atLeast().abs()));
    }
    if (failure != null) {
      sideFailed(NEW, failure);
    }
  }

  /** Reports that a side could not be opened, or that it has not answered for its clock. */
  void sideFailed(String side, KvException error) {
    report(Event.of(Event.Kind.SIDE_FAILURE, store, side).withError(error));
  }

  /** Reports that a side has failed a request for a collection. */
  void sideFailed(String side, String collection, KvException error) {
    report(
        Event.of(Event.Kind.SIDE_FAILURE, store, side).withCollection(collection).withError(error));
  }

  private void report(Event event) {
    try {
      observer.happened(event);
    } catch (RuntimeException e) {
      Thread thread = Thread.currentThread();
      thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
    }
  }
}
