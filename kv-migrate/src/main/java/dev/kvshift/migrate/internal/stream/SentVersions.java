package dev.kvshift.migrate.internal.stream;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The highest version among the changes up to positions of the change log that were sent. The
 * source issues versions in the order of positions, so a reader that has applied everything up to a
 * position holds every version up to that one.
 *
 * <p>Keeps at most {@value #MAX_POSITIONS} positions. Beyond that, the newest replaces the one
 * before it: the answer is then lower than it could be, never higher. Safe for use by many threads.
 */
public final class SentVersions {
  private static final int MAX_POSITIONS = 1_000;

  private final Deque<Sent> sent = new ArrayDeque<>();
  private long highest;
  private long reached;

  private record Sent(long position, long version) {}

  /**
   * Begins with what earlier runs have sent.
   *
   * @param position the position up to which they have sent everything
   * @param version the highest version among that, or 0 if there is none
   */
  public SentVersions(long position, long version) {
    highest = version;
    mark(position);
  }

  /** Records a change that was sent. */
  synchronized void add(long version) {
    highest = Math.max(highest, version);
  }

  /** Records that everything up to a position was sent. */
  synchronized void mark(long position) {
    if (highest == 0) {
      return;
    }
    if (sent.size() == MAX_POSITIONS) {
      sent.removeLast();
    }
    sent.addLast(new Sent(position, highest));
  }

  /** Returns the highest version that was sent. */
  synchronized long highest() {
    return highest;
  }

  /** Returns the version up to which a reader at the position holds everything, or 0. */
  public synchronized long upTo(long position) {
    while (!sent.isEmpty() && sent.getFirst().position <= position) {
      reached = sent.removeFirst().version;
    }
    return reached;
  }
}
