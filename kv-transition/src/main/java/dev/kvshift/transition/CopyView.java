package dev.kvshift.transition;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The known state of the new side of one collection, for one copy that the gate has named. Guarded
 * by the monitor of its {@link NewSide}.
 */
final class CopyView {
  private static final Logger LOG = LoggerFactory.getLogger(CopyView.class);
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  /**
   * The new side's collection, opened.
   *
   * @param collection the collection
   * @param readable whether it holds everything that was copied
   */
  record Opened(StoreCollection collection, boolean readable) {}

  /**
   * The opened collection, as it was last seen to hold the copy.
   *
   * @param floor the floor that it had; 0 before the hand-over
   */
  private record Checked(StoreCollection collection, long floor) {}

  /** The opened collection; null until it has been opened. */
  @Nullable StoreCollection opened;

  private boolean readable;
  private volatile @Nullable Checked checked;

  /** The opening that requests wait for. */
  @Nullable CompletableFuture<StoreCollection> opening;

  /** The copy that it held when it was checked last. */
  @Nullable Copy seen;

  private @Nullable String problem;
  private boolean looking;
  private long nextLookNanos = System.nanoTime();
  private Duration pause = FIRST_PAUSE;

  /** Begins a check of the new side, unless one is in progress or it is too early for one. */
  boolean beginLook() {
    if (looking || System.nanoTime() - nextLookNanos < 0) {
      return false;
    }
    looking = true;
    return true;
  }

  /**
   * Returns the collection if it was seen to hold the copy with that floor. At the hand-over it is
   * checked again: a collection that held the copy may have been begun anew since. Needs no
   * monitor.
   */
  @Nullable StoreCollection checked(long floor) {
    Checked known = checked;
    return known != null && known.floor == floor ? known.collection : null;
  }

  /** Returns the collection if readers find everything that was copied there; null otherwise. */
  @Nullable StoreCollection readable() {
    return readable ? opened : null;
  }

  /**
   * Ends a check or an opening.
   *
   * @param asked the copy that the collection has to hold
   * @param floor the floor of the hand-over that it has to have; 0 before it
   * @param found the collection; null if the check failed
   * @param error the failure; null if there was none
   */
  void end(@Nullable Copy asked, long floor, @Nullable Opened found, @Nullable KvException error) {
    looking = false;
    if (found != null) {
      opened = found.collection;
      readable = found.readable;
      checked = new Checked(found.collection, floor);
      if (problem != null) {
        LOG.info("the new side of collection {} can be used", found.collection.name());
      }
      seen = asked;
      problem = null;
      if (readable) {
        pause = FIRST_PAUSE;
        nextLookNanos = System.nanoTime() + LONGEST_PAUSE.toNanos();
      } else {
        pauseBeforeNextLook();
      }
      return;
    }
    String message = String.valueOf(error == null ? null : error.getMessage());
    if (!message.equals(problem)) {
      LOG.warn("the new side cannot be used: {}", message);
    }
    problem = message;
    if (error instanceof KvException.Permanent) {
      opened = null;
      checked = null;
      seen = null;
    }
    pauseBeforeNextLook();
  }

  private void pauseBeforeNextLook() {
    nextLookNanos = System.nanoTime() + pause.toNanos();
    pause =
        pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
  }

  /** Returns why the new side cannot be used; null if nothing is known against it. */
  @Nullable String problemOr(StoreClock clock) {
    KvException failure = clock.failure();
    return problem != null || failure == null
        ? problem
        : "its new side does not return its time: " + failure.getMessage();
  }
}
