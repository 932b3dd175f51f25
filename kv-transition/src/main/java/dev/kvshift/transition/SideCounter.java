package dev.kvshift.transition;

import dev.kvshift.spi.SideCounts;
import java.util.concurrent.atomic.LongAdder;

/** Counts what happens at a collection's new side. Safe for use by many threads. */
final class SideCounter {
  private final LongAdder requests = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder missHits = new LongAdder();
  private final LongAdder compared = new LongAdder();
  private final LongAdder different = new LongAdder();

  /** Counts a request that the new side has answered. */
  void answered() {
    requests.increment();
  }

  /** Counts a request that the new side has failed, or one that was dropped before it was sent. */
  void failed() {
    requests.increment();
    failures.increment();
  }

  /** Counts an entry that the old side had and the new one missed. */
  void missHit() {
    missHits.increment();
  }

  /** Counts a comparison of both sides' answers that has ended with a verdict. */
  void compared(boolean foundDifference) {
    compared.increment();
    if (foundDifference) {
      different.increment();
    }
  }

  SideCounts counts() {
    return SideCounts.NONE
        .withRequests(requests.sum(), failures.sum())
        .withMissHits(missHits.sum())
        .withComparisons(compared.sum(), different.sum());
  }
}
