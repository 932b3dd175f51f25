package dev.kvshift.spi;

/**
 * A part of a collection that one worker scans: the rows whose token lies above {@link #after()}
 * and not above {@link #upTo()}. The tasks of a collection do not overlap and together hold every
 * row. They stay valid on any machine while the store keeps its cluster or its number of
 * partitions. Immutable.
 */
public final class ScanTask {
  private final long after;
  private final long upTo;

  private ScanTask(long after, long upTo) {
    this.after = after;
    this.upTo = upTo;
  }

  /**
   * Returns a task.
   *
   * @param after the token before the first, exclusive; {@link Long#MIN_VALUE} is inclusive
   * @param upTo the last token, inclusive
   */
  public static ScanTask of(long after, long upTo) {
    return new ScanTask(after, upTo);
  }

  /** Returns the token before the first, exclusive; {@link Long#MIN_VALUE} is inclusive. */
  public long after() {
    return after;
  }

  /** Returns the last token, inclusive. */
  public long upTo() {
    return upTo;
  }

  /** Returns whether a row with the token belongs to the task. */
  public boolean contains(long token) {
    return (token > after || after == Long.MIN_VALUE) && token <= upTo;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ScanTask that && after == that.after && upTo == that.upTo;
  }

  @Override
  public int hashCode() {
    return 31 * Long.hashCode(after) + Long.hashCode(upTo);
  }

  @Override
  public String toString() {
    return "ScanTask[after=" + after + ", upTo=" + upTo + "]";
  }
}
