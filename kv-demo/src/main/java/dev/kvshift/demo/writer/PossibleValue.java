package dev.kvshift.demo.writer;

import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;

/** A possible value of a key: its value if one particular write was the last to be applied. */
sealed interface PossibleValue {
  /** The difference between two clocks, and between a clock and its use, that an expiry allows. */
  Duration TOLERANCE = Duration.ofSeconds(1);

  /**
   * Returns whether a read may have returned this.
   *
   * @param found the revision that was read, or empty for no entry
   * @param readFrom when the read began
   * @param readBy when the read had ended
   */
  boolean allows(OptionalLong found, Instant readFrom, Instant readBy);

  /** No entry: never written, or deleted. */
  record Absent() implements PossibleValue {
    @Override
    public boolean allows(OptionalLong found, Instant readFrom, Instant readBy) {
      return found.isEmpty();
    }
  }

  /**
   * An entry that does not expire.
   *
   * @param revision the entry's revision
   */
  record Live(long revision) implements PossibleValue {
    @Override
    public boolean allows(OptionalLong found, Instant readFrom, Instant readBy) {
      return found.equals(OptionalLong.of(revision));
    }
  }

  /**
   * An entry that expires. The server counts the TTL from the moment at which it accepts the write,
   * between the request and the answer.
   *
   * @param revision the entry's revision
   * @param earliest the earliest moment at which it may expire
   * @param latest the latest moment at which it may expire
   */
  record Expiring(long revision, Instant earliest, Instant latest) implements PossibleValue {
    @Override
    public boolean allows(OptionalLong found, Instant readFrom, Instant readBy) {
      if (found.isEmpty()) {
        return !readBy.isBefore(earliest.minus(TOLERANCE));
      }
      return found.getAsLong() == revision && !readFrom.isAfter(latest.plus(TOLERANCE));
    }
  }
}
