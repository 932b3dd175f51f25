package dev.kvshift.legacy.server.internal.commit;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The identity of one collection's change log, position by position.
 *
 * <p>An id that merely lies in the folder would be copied along with it: a store that is restored
 * from a backup and written to again has the ids of the original, and other changes at the same
 * positions. So each process draws an id of its own and records it with the first change that it
 * logs. A position belongs to the process that logged it, and a reader that has read the position
 * from another process learns that from the id. Restarts without a change add nothing.
 *
 * <p>Changed by the commit pipeline, read by any thread.
 */
final class LogHistory {
  /**
   * Maximum number of processes remembered beside the first; older ones share the next one's id.
   */
  static final int MAX_LIVES = 1_000;

  private static final int ID_BYTES = 16;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final String life;
  private final NavigableMap<Long, String> lives = new ConcurrentSkipListMap<>();

  /**
   * Creates a history without entries.
   *
   * @param life the id of this process, with the number of the collection
   */
  LogHistory(String life) {
    this.life = life;
  }

  /** Draws the id of a process. */
  static String drawLife() {
    byte[] id = new byte[ID_BYTES];
    RANDOM.nextBytes(id);
    return HexFormat.of().formatHex(id);
  }

  String life() {
    return life;
  }

  /** Takes over what the files hold, by the first position of each process. */
  void load(Map<Long, String> stored) {
    lives.keySet().retainAll(stored.keySet());
    lives.putAll(stored);
  }

  boolean hasOrigin() {
    return lives.containsKey(0L);
  }

  /**
   * Records that this process logs a position, 0 for the origin.
   *
   * @return the position under which this process is to be stored; none if it is stored already
   */
  OptionalLong begin(long position) {
    if (hasOrigin() && lives.lastEntry().getValue().equals(life)) {
      return OptionalLong.empty();
    }
    long from = hasOrigin() ? position : 0;
    lives.put(from, life);
    return OptionalLong.of(from);
  }

  /** Returns the oldest process beside the first to forget, if too many are remembered. */
  OptionalLong forgotten() {
    if (lives.size() <= MAX_LIVES + 1) {
      return OptionalLong.empty();
    }
    long oldest = Objects.requireNonNull(lives.higherKey(0L));
    lives.remove(oldest);
    return OptionalLong.of(oldest);
  }

  /** Returns the id of the process that logged the position; the origin's for 0. */
  String idAt(long position) {
    return Objects.requireNonNull(lives.floorEntry(position)).getValue();
  }
}
