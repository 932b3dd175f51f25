package dev.kvshift.transition;

import dev.kvshift.spi.Phase;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * The phase of one collection as this instance knows it, and the operations that still run in
 * phases that it knew before. An epoch is acknowledged only when all operations of older epochs
 * have ended. Safe for use by many threads.
 */
final class PhaseTracker {
  /** One epoch as operations take it, once, at their start. */
  static final class View {
    private static final int BEGUN = 0;
    private static final int ENDED = 31;

    private final long epoch;
    private final Phase phase;
    private final long floor;
    private final boolean clockOrdered;

    /** The operations begun and ended, each on a cache line of its own: other threads end them. */
    private final AtomicIntegerArray counts = new AtomicIntegerArray(ENDED + 1);

    private View(long epoch, Phase phase, long floor, boolean clockOrdered) {
      this.epoch = epoch;
      this.phase = phase;
      this.floor = floor;
      this.clockOrdered = clockOrdered;
    }

    long epoch() {
      return epoch;
    }

    Phase phase() {
      return phase;
    }

    long floor() {
      return floor;
    }

    /** Returns whether clocks draw the versions, not the old store's leader. */
    boolean isClockOrdered() {
      return clockOrdered;
    }

    private boolean isDrained() {
      int ended = counts.get(ENDED); // first: what ends meanwhile has not been drained
      return ended == counts.get(BEGUN);
    }
  }

  /** Oldest first; the last is current. Older ones are removed once their operations have ended. */
  private final Deque<View> views = new ArrayDeque<>();

  private volatile View current;

  PhaseTracker(long epoch, Phase phase, long floor, boolean clockOrdered) {
    current = new View(epoch, phase, floor, clockOrdered);
    views.add(current);
  }

  View current() {
    return current;
  }

  /**
   * Begins an operation in the current phase. The view is looked at again after the operation was
   * counted: a step may have been learned, and the old epoch acknowledged, in between.
   */
  View begin() {
    while (true) {
      View view = current;
      view.counts.incrementAndGet(View.BEGUN);
      if (view == current) {
        return view;
      }
      end(view);
    }
  }

  void end(View view) {
    view.counts.incrementAndGet(View.ENDED);
  }

  /**
   * Records an answer of the leader. An epoch older than the known one is ignored.
   *
   * @return whether the phase or the order is another one than before
   */
  synchronized boolean learn(long epoch, Phase phase, long floor, boolean clockOrdered) {
    View known = views.getLast();
    if (epoch <= known.epoch || known.phase == Phase.NEW_ONLY) {
      return false;
    }
    current = new View(epoch, phase, floor, clockOrdered);
    views.add(current);
    removeDrained();
    return phase != known.phase || clockOrdered != known.clockOrdered;
  }

  /** Returns the newest epoch that can be acknowledged: no operation of an older one still runs. */
  synchronized long acknowledged() {
    removeDrained();
    return views.getFirst().epoch;
  }

  private void removeDrained() {
    views.removeIf(view -> view != current && view.isDrained());
  }
}
