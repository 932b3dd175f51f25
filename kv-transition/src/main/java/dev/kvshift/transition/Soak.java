package dev.kvshift.transition;

import dev.kvshift.spi.Gate;
import dev.kvshift.spi.SideCounts;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The time for which a phase lasts at least before the step up. It ends if the instances have
 * counted no miss-hit and no difference in it, and at most {@link #FAILED_ONE_IN} of their requests
 * to the new side have failed; otherwise it begins again. For one thread.
 */
final class Soak {
  /** At most one in so many requests to the new side may have failed. */
  static final long FAILED_ONE_IN = 1_000;

  private final Duration dwell;
  private long begunNanos;
  private Map<String, SideCounts> before;
  private String trouble = "";

  /**
   * Begins.
   *
   * @param dwell how long it lasts
   * @param nowNanos the monotonic clock
   * @param instances the instances that are live now
   */
  Soak(Duration dwell, long nowNanos, List<Gate.Instance> instances) {
    this.dwell = dwell;
    this.begunNanos = nowNanos;
    this.before = counts(instances);
  }

  /** Returns whether it is time to look at the instances' counts. */
  boolean isOver(long nowNanos) {
    return nowNanos - begunNanos >= dwell.toNanos();
  }

  /**
   * Looks at the instances' counts, once it is over, and begins again if they are not good enough.
   *
   * @param instances the instances that are live now; one that was not there before counts from its
   *     start
   * @return whether it has ended well
   */
  boolean endsWell(long nowNanos, List<Gate.Instance> instances) {
    Map<String, SideCounts> now = counts(instances);
    SideCounts sum = SideCounts.NONE;
    for (Map.Entry<String, SideCounts> each : now.entrySet()) {
      sum = sum.plus(each.getValue().since(before.getOrDefault(each.getKey(), SideCounts.NONE)));
    }
    String found = trouble(sum);
    if (found == null) {
      return true;
    }
    trouble = ", again since " + found;
    begunNanos = nowNanos;
    before = now;
    return false;
  }

  private static @Nullable String trouble(SideCounts sum) {
    if (sum.missHits() > 0) {
      return sum.missHits() + " entries of the old side were missed on the new one";
    }
    if (sum.different() > 0) {
      return sum.different() + " of " + sum.compared() + " compared answers differed";
    }
    if (sum.failures() * FAILED_ONE_IN > sum.requests()) {
      return "the new side failed " + sum.failures() + " of " + sum.requests() + " requests";
    }
    return null;
  }

  /** Returns what it waits for, as one line for people. */
  String waiting() {
    return "the phase lasts " + dwell.toSeconds() + " s at least" + trouble;
  }

  private static Map<String, SideCounts> counts(List<Gate.Instance> instances) {
    Map<String, SideCounts> counts = new HashMap<>();
    instances.forEach(one -> counts.put(one.name(), one.use().counts()));
    return counts;
  }
}
