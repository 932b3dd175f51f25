package dev.kvshift.transition;

import dev.kvshift.spi.Phase;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The phase of one collection as this instance knows it, and the operations that still run in
 * phases that it knew before. An epoch is acknowledged only when all operations of older epochs
 * have ended. Safe for use by many threads.
 */
final class PhaseTracker {
  /** One epoch as operations take it, once, at their start. */
  static final class View {
    private final long epoch;
    private final Phase phase;
    private final long floor;
    private int running;

    private View(long epoch, Phase phase, long floor) {
      this.epoch = epoch;
      this.phase = phase;
      this.floor = floor;
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
  }

  /** Oldest first; the last is current. An older one is removed when its last operation ends. */
  private final Deque<View> views = new ArrayDeque<>();

  PhaseTracker(long epoch, Phase phase, long floor) {
    views.add(new View(epoch, phase, floor));
  }

  synchronized View current() {
    return views.getLast();
  }

  synchronized View begin() {
    View view = views.getLast();
    view.running++;
    return view;
  }

  synchronized void end(View view) {
    view.running--;
    views.removeIf(old -> old.running == 0 && old != views.getLast());
  }

  /**
   * Records an answer of the leader. An epoch older than the known one is ignored.
   *
   * @return whether the phase is another one than before
   */
  synchronized boolean learn(long epoch, Phase phase, long floor) {
    View known = views.getLast();
    if (epoch <= known.epoch || known.phase == Phase.NEW_ONLY) {
      return false;
    }
    views.add(new View(epoch, phase, floor));
    views.removeIf(old -> old.running == 0 && old != views.getLast());
    return phase != known.phase;
  }

  /** Returns the newest epoch that can be acknowledged: no operation of an older one still runs. */
  synchronized long acknowledged() {
    return views.getFirst().epoch;
  }
}
