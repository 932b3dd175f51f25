package dev.kvshift.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A range of clustering keys within one main key, and the direction in which it is walked.
 *
 * <p>{@code from} is always the lower bound and {@code to} the upper one, whichever the direction.
 * Running example, which the tests use too: a main key with the clustering keys {@code 10 20 30 40
 * 50}. {@code from 20 inclusive, to 40 exclusive} gives {@code 20 30} forward and {@code 30 20}
 * backward. A range whose lower bound is above its upper bound is empty, not an error. Immutable.
 *
 * @param from the lower bound, or null for none
 * @param fromInclusive whether the lower bound itself belongs to the range; true without one
 * @param to the upper bound, or null for none
 * @param toInclusive whether the upper bound itself belongs to the range; true without one
 * @param direction the order of the entries
 */
public record Range(
    @Nullable Bytes from,
    boolean fromInclusive,
    @Nullable Bytes to,
    boolean toInclusive,
    Direction direction) {

  /** The order in which a range is walked. */
  public enum Direction {
    /** Ascending, unsigned. */
    FORWARD,
    /** Descending, unsigned. */
    BACKWARD
  }

  public Range {
    Objects.requireNonNull(direction, "direction");
    fromInclusive |= from == null;
    toInclusive |= to == null;
  }

  /** Returns the range of everything, forward. */
  public static Range all() {
    return new Range(null, true, null, true, Direction.FORWARD);
  }

  /** Returns the range from a bound, inclusive, to a bound, exclusive, forward. */
  public static Range of(Bytes from, Bytes to) {
    return new Range(from, true, to, false, Direction.FORWARD);
  }

  /** Returns the range from a bound on, inclusive, forward. */
  public static Range from(Bytes from) {
    return new Range(from, true, null, true, Direction.FORWARD);
  }

  /** Returns the range above a bound, which does not itself belong to it, forward. */
  public static Range after(Bytes from) {
    return new Range(from, false, null, true, Direction.FORWARD);
  }

  /** Returns the range of the keys that begin with the prefix, forward. */
  public static Range prefix(Bytes prefix) {
    int last = prefix.size() - 1;
    while (last >= 0 && prefix.at(last) == (byte) 0xff) {
      last--;
    }
    if (last < 0) {
      return from(prefix);
    }
    byte[] end = prefix.slice(0, last + 1).toByteArray();
    end[last]++;
    return of(prefix, Bytes.of(end));
  }

  /** Returns the same range, walked from its upper bound down. */
  public Range backward() {
    return new Range(from, fromInclusive, to, toInclusive, Direction.BACKWARD);
  }

  /** Returns whether the clustering key lies within the bounds. */
  public boolean contains(Bytes clustering) {
    if (from != null) {
      int order = clustering.compareTo(from);
      if (order < 0 || (order == 0 && !fromInclusive)) {
        return false;
      }
    }
    if (to != null) {
      int order = clustering.compareTo(to);
      return order < 0 || (order == 0 && toInclusive);
    }
    return true;
  }

  /**
   * Returns what is left of the range once the walk has passed the clustering key, which does not
   * belong to the rest. A key outside the range, before its beginning, leaves the range as it is.
   */
  public Range beyond(Bytes passed) {
    if (direction == Direction.FORWARD) {
      return from != null && passed.compareTo(from) < 0
          ? this
          : new Range(passed, false, to, toInclusive, direction);
    }
    return to != null && passed.compareTo(to) > 0
        ? this
        : new Range(from, fromInclusive, passed, false, direction);
  }

  /** Returns whether no key can lie within the bounds. */
  public boolean isEmpty() {
    if (from == null || to == null) {
      return false;
    }
    int order = from.compareTo(to);
    return order > 0 || (order == 0 && !(fromInclusive && toInclusive));
  }
}
