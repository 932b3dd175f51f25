package dev.kvshift.spi;

import java.util.Objects;

/**
 * What one process has counted of a collection's new side since it opened the collection. The
 * counts of a migration's instances decide whether it may go on. Immutable; new counts come with
 * new {@code with} methods.
 */
public final class SideCounts {
  /** Nothing counted yet. */
  public static final SideCounts NONE = new SideCounts(0, 0, 0, 0, 0);

  private final long requests;
  private final long failures;
  private final long missHits;
  private final long compared;
  private final long different;

  private SideCounts(long requests, long failures, long missHits, long compared, long different) {
    this.requests = requests;
    this.failures = failures;
    this.missHits = missHits;
    this.compared = compared;
    this.different = different;
  }

  /**
   * Returns the same counts with the requests to the new side.
   *
   * @param newRequests how many have ended
   * @param newFailures how many of them have failed, or were dropped before they were sent
   */
  public SideCounts withRequests(long newRequests, long newFailures) {
    return new SideCounts(newRequests, newFailures, missHits, compared, different);
  }

  /** Returns the same counts with the entries that the old side had and the new one missed. */
  public SideCounts withMissHits(long newMissHits) {
    return new SideCounts(requests, failures, newMissHits, compared, different);
  }

  /**
   * Returns the same counts with the comparisons of both sides' answers.
   *
   * @param newCompared how many have ended with a verdict
   * @param newDifferent how many of them have found a difference
   */
  public SideCounts withComparisons(long newCompared, long newDifferent) {
    return new SideCounts(requests, failures, missHits, newCompared, newDifferent);
  }

  /** Returns the sum of both counts. */
  public SideCounts plus(SideCounts more) {
    return new SideCounts(
        requests + more.requests,
        failures + more.failures,
        missHits + more.missHits,
        compared + more.compared,
        different + more.different);
  }

  /** Returns what was counted since an earlier moment of the same process. */
  public SideCounts since(SideCounts earlier) {
    return new SideCounts(
        requests - earlier.requests,
        failures - earlier.failures,
        missHits - earlier.missHits,
        compared - earlier.compared,
        different - earlier.different);
  }

  /** Returns how many requests to the new side have ended. */
  public long requests() {
    return requests;
  }

  /** Returns how many requests to the new side have failed, or were dropped. */
  public long failures() {
    return failures;
  }

  /** Returns how many entries the old side had and the new one missed. */
  public long missHits() {
    return missHits;
  }

  /** Returns how many answers of both sides were compared. */
  public long compared() {
    return compared;
  }

  /** Returns how many of the compared answers differed. */
  public long different() {
    return different;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SideCounts that
        && requests == that.requests
        && failures == that.failures
        && missHits == that.missHits
        && compared == that.compared
        && different == that.different;
  }

  @Override
  public int hashCode() {
    return Objects.hash(requests, failures, missHits, compared, different);
  }

  @Override
  public String toString() {
    return requests
        + " requests, "
        + failures
        + " failed, "
        + missHits
        + " miss-hits, "
        + compared
        + " compared, "
        + different
        + " different";
  }
}
