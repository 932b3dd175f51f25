package dev.kvshift.model.advise;

/**
 * A histogram of sizes in buckets of at most 1/32 relative width, whose memory does not depend on
 * the number of sizes. Used by one thread.
 */
final class SizeHistogram {
  private static final int STEP_BITS = 5;
  private static final int STEPS = 1 << STEP_BITS;

  private final long[] counts = new long[(Long.SIZE - STEP_BITS) * STEPS];
  private long count;
  private long max;

  void add(long size) {
    counts[bucket(size)]++;
    count++;
    max = Math.max(max, size);
  }

  long count() {
    return count;
  }

  long max() {
    return max;
  }

  /**
   * Returns the size that a share of all sizes does not exceed, rounded up to the end of its
   * bucket.
   *
   * @param share from 0 to 1
   */
  long percentile(double share) {
    long wanted = (long) Math.ceil(share * count);
    long seen = 0;
    for (int bucket = 0; bucket < counts.length && count > 0; bucket++) {
      seen += counts[bucket];
      if (seen >= wanted && seen > 0) {
        return Math.min(max, greatest(bucket));
      }
    }
    return max;
  }

  private static int bucket(long size) {
    if (size < STEPS) {
      return (int) size;
    }
    int shift = Long.SIZE - 1 - Long.numberOfLeadingZeros(size) - STEP_BITS;
    return (shift + 1) * STEPS + (int) (size >>> shift) - STEPS;
  }

  private static long greatest(int bucket) {
    if (bucket < STEPS) {
      return bucket;
    }
    int shift = bucket / STEPS - 1;
    long step = (long) (bucket % STEPS) + STEPS;
    return ((step + 1) << shift) - 1;
  }
}
