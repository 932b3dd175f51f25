package dev.kvshift.api;

import dev.kvshift.api.KvException.InvalidArgument;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A range of clustering keys within one main key, and the direction in which it is read.
 *
 * <p>{@code from} is always the lower bound and {@code to} the upper one, whatever the direction.
 * Running example, which the tests use too: a main key with the clustering keys {@code 10 20 30 40
 * 50}. {@code from 20 inclusive, to 40 exclusive} returns {@code 20 30} forward and {@code 30 20}
 * backward. A range whose lower bound is above its upper bound is empty, not an error. Immutable.
 */
public final class Range {
  private static final Range ALL =
      new Range(new Bound(null, true), new Bound(null, true), Direction.FORWARD);

  private final Bound from;
  private final Bound to;
  private final Direction direction;

  /** The order in which a range is read. */
  public enum Direction {
    /** Ascending, unsigned. */
    FORWARD,
    /** Descending, unsigned. */
    BACKWARD
  }

  /** An end of a range; without a key, the range is open there and counts as inclusive. */
  private record Bound(@Nullable Bytes key, boolean inclusive) {
    Bound {
      inclusive |= key == null;
    }
  }

  private Range(Bound from, Bound to, Direction direction) {
    this.from = from;
    this.to = to;
    this.direction = InvalidArgument.requireNonNull(direction, "direction");
  }

  /** Returns the range of all clustering keys, forward. */
  public static Range all() {
    return ALL;
  }

  /**
   * Returns a range between two bounds, forward.
   *
   * @param from the lower bound, inclusive
   * @param to the upper bound, exclusive
   */
  public static Range of(Bytes from, Bytes to) {
    return all().withFrom(from, true).withTo(to, false);
  }

  /** Returns the range that begins at a clustering key, inclusive, forward. */
  public static Range from(Bytes from) {
    return all().withFrom(from, true);
  }

  /** Returns the range that begins after a clustering key, exclusive, forward. */
  public static Range after(Bytes from) {
    return all().withFrom(from, false);
  }

  /** Returns the range of the clustering keys that begin with a prefix, forward. */
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

  /**
   * Returns the same range with another lower bound.
   *
   * @param key the bound; null for none
   * @param inclusive whether the bound itself belongs to the range; ignored without a bound
   */
  public Range withFrom(@Nullable Bytes key, boolean inclusive) {
    return new Range(new Bound(key, inclusive), to, direction);
  }

  /**
   * Returns the same range with another upper bound.
   *
   * @param key the bound; null for none
   * @param inclusive whether the bound itself belongs to the range; ignored without a bound
   */
  public Range withTo(@Nullable Bytes key, boolean inclusive) {
    return new Range(from, new Bound(key, inclusive), direction);
  }

  /** Returns the same range, read in that direction. */
  public Range withDirection(Direction newDirection) {
    return new Range(from, to, newDirection);
  }

  /** Returns the same range, read from its upper bound to its lower one. */
  public Range backward() {
    return withDirection(Direction.BACKWARD);
  }

  /** Returns the lower bound; null for none. */
  public @Nullable Bytes from() {
    return from.key;
  }

  /** Returns whether the lower bound itself belongs to the range; true without one. */
  public boolean fromInclusive() {
    return from.inclusive;
  }

  /** Returns the upper bound; null for none. */
  public @Nullable Bytes to() {
    return to.key;
  }

  /** Returns whether the upper bound itself belongs to the range; true without one. */
  public boolean toInclusive() {
    return to.inclusive;
  }

  /** Returns the order of the entries. */
  public Direction direction() {
    return direction;
  }

  /** Returns whether a clustering key lies within the bounds. */
  public boolean contains(Bytes clustering) {
    if (from.key != null) {
      int order = clustering.compareTo(from.key);
      if (order < 0 || (order == 0 && !from.inclusive)) {
        return false;
      }
    }
    if (to.key != null) {
      int order = clustering.compareTo(to.key);
      return order < 0 || (order == 0 && to.inclusive);
    }
    return true;
  }

  /**
   * Returns the rest of the range after a clustering key, in the range's direction. The key itself
   * does not belong to the rest. A key outside the range, before its beginning, returns the range
   * unchanged.
   */
  public Range beyond(Bytes passed) {
    if (direction == Direction.FORWARD) {
      return from.key != null && passed.compareTo(from.key) < 0 ? this : withFrom(passed, false);
    }
    return to.key != null && passed.compareTo(to.key) > 0 ? this : withTo(passed, false);
  }

  /** Returns whether no key can lie within the bounds. */
  public boolean isEmpty() {
    if (from.key == null || to.key == null) {
      return false;
    }
    int order = from.key.compareTo(to.key);
    return order > 0 || (order == 0 && !(from.inclusive && to.inclusive));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Range that
        && from.equals(that.from)
        && to.equals(that.to)
        && direction == that.direction;
  }

  @Override
  public int hashCode() {
    return Objects.hash(from, to, direction);
  }

  /** Returns the range in interval notation, such as {@code [14, 28) FORWARD}. */
  @Override
  public String toString() {
    return (from.key == null ? "(-" : (from.inclusive ? "[" : "(") + from.key)
        + ", "
        + (to.key == null ? "-)" : to.key + (to.inclusive ? "]" : ")"))
        + " "
        + direction;
  }
}
