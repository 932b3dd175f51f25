package dev.kvshift.migrate.internal.ledger;

import java.util.List;

/**
 * The changes that one partition of the topic has received since S0, counted by their positions: a
 * change counts if its position is above all that were seen. A change that a restarted stream sends
 * twice therefore counts once, for the stream and for its readers. Immutable.
 *
 * @param highest the highest position seen; 0 before the first
 * @param changes the number of changes
 * @param sum the sum of their positions, modulo 2^64
 */
public record ChangeCount(long highest, long changes, long sum) {
  private static final int NUMBERS = 3;

  /** The count of a partition without changes. */
  public static final ChangeCount NONE = new ChangeCount(0, 0, 0);

  /** Returns the count after a change, which is this one if the change was seen before. */
  public ChangeCount plus(long position) {
    return position <= highest ? this : new ChangeCount(position, changes + 1, sum + position);
  }

  /** Returns the numbers of the count, for {@link #of}. */
  public List<Long> numbers() {
    return List.of(highest, changes, sum);
  }

  /** Returns the count with those numbers. */
  public static ChangeCount of(List<Long> numbers) {
    if (numbers.size() != NUMBERS) {
      throw new IllegalArgumentException(numbers + " is not a count of changes");
    }
    return new ChangeCount(numbers.get(0), numbers.get(1), numbers.get(2));
  }
}
