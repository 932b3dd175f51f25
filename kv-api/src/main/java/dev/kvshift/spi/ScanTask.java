package dev.kvshift.spi;

/**
 * A part of a collection that one worker scans: all rows whose token lies above {@code after} and
 * up to {@code upTo}. Tasks do not overlap and together hold everything. They stay valid while the
 * store runs with the same cluster or partition count, on any machine. Immutable.
 *
 * @param after the token below the first, exclusive; {@link Long#MIN_VALUE} includes it
 * @param upTo the last token, inclusive
 */
public record ScanTask(long after, long upTo) {
  /** Returns whether a row with the token belongs to the task. */
  public boolean contains(long token) {
    return (token > after || after == Long.MIN_VALUE) && token <= upTo;
  }
}
