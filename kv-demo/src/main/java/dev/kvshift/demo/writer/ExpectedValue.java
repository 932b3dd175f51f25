package dev.kvshift.demo.writer;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * The values that a key may hold, known to its only writer: the one of the last acknowledged write,
 * and one for every later write whose outcome is unknown. Used by one thread at a time.
 */
final class ExpectedValue {
  private final List<PossibleValue> possible = new ArrayList<>(1);

  /**
   * Starts with the value before the first write.
   *
   * @param loaded whether the key was loaded, with revision 0; otherwise it is absent
   */
  ExpectedValue(boolean loaded) {
    possible.add(loaded ? new PossibleValue.Live(0) : new PossibleValue.Absent());
  }

  /** Takes an acknowledged write, which leaves one possibility. */
  void acknowledged(PossibleValue value) {
    possible.clear();
    possible.add(value);
  }

  /** Takes a write of unknown outcome, which adds a possibility. */
  void unknown(PossibleValue value) {
    possible.add(value);
  }

  /** Returns whether a read may have found this; see {@link PossibleValue#allows}. */
  boolean allows(OptionalLong found, Instant readFrom, Instant readBy) {
    return possible.stream().anyMatch(value -> value.allows(found, readFrom, readBy));
  }

  /** Returns whether the key may hold an entry that does not expire. */
  boolean mayBeLive() {
    return possible.stream().anyMatch(PossibleValue.Live.class::isInstance);
  }

  /** Describes a read that found what is not allowed. */
  String describeMismatch(OptionalLong found) {
    String what = found.isPresent() ? "revision " + found.getAsLong() : "no entry";
    return "found " + what + ", but the journal allows " + possible;
  }
}
