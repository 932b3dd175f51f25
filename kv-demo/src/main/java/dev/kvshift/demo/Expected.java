package dev.kvshift.demo;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one key may hold, judged by its only writer: the last acknowledged write and every later one
 * whose outcome is unknown. Used by one thread at a time.
 */
final class Expected {
  /** By how much two clocks, and a clock and its use, may differ around an expiry. */
  private static final Duration TOLERANCE = Duration.ofSeconds(1);

  /**
   * One possible state.
   *
   * @param revision the value's, or null for no entry
   * @param expiresFrom the earliest moment at which it may expire, or null for never
   * @param expiresBy the latest moment at which it may expire, or null for never
   */
  record State(
      @Nullable Long revision, @Nullable Instant expiresFrom, @Nullable Instant expiresBy) {
    static final State ABSENT = new State(null, null, null);

    static State live(long revision) {
      return new State(revision, null, null);
    }

    private boolean allows(@Nullable Long found, Instant readFrom, Instant readBy) {
      if (revision == null || found == null) {
        return found == null
            && (revision == null
                || (expiresFrom != null && !readBy.isBefore(expiresFrom.minus(TOLERANCE))));
      }
      return revision.equals(found)
          && (expiresBy == null || !readFrom.isAfter(expiresBy.plus(TOLERANCE)));
    }
  }

  private final List<State> possible = new ArrayList<>(1);

  Expected(State initial) {
    possible.add(initial);
  }

  /** An acknowledged write leaves one possibility. */
  void acknowledged(State state) {
    possible.clear();
    possible.add(state);
  }

  /** A write of unknown outcome adds one. */
  void unknown(State state) {
    possible.add(state);
  }

  /** Whether a read that took place within the interval may have found this. */
  boolean allows(@Nullable Long foundRevision, Instant readFrom, Instant readBy) {
    for (State state : possible) {
      if (state.allows(foundRevision, readFrom, readBy)) {
        return true;
      }
    }
    return false;
  }

  /** Whether any possible state is an entry that does not expire. */
  boolean mayBeLive() {
    return possible.stream().anyMatch(s -> s.revision() != null && s.expiresBy() == null);
  }

  @Override
  public String toString() {
    return possible.toString();
  }
}
