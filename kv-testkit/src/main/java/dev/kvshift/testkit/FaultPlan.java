package dev.kvshift.testkit;

import dev.kvshift.spi.StoreKey;
import java.util.List;
import java.util.Random;

/**
 * Decides what becomes of each request to a {@link FaultInjectingStore}. Asked once per request, by
 * one thread at a time, in the order of the requests.
 */
@FunctionalInterface
public interface FaultPlan {
  /** What was asked for. */
  enum Kind {
    GET,
    WRITE,
    RANGE,
    SCAN
  }

  /**
   * One request.
   *
   * @param number from 1, over all collections of the store
   * @param writes how many writes there were so far, this one included
   * @param kind what was asked for
   * @param collection of which collection
   * @param key the key; for ranges and scans as far as it is known
   */
  record Request(long number, long writes, Kind kind, String collection, StoreKey key) {}

  /** Decides. */
  Fault next(Request request);

  /** Returns the plan that lets everything pass. */
  static FaultPlan none() {
    return request -> Fault.NONE;
  }

  /** Returns the plan that delays and fails so many of a thousand requests, never crashing. */
  static FaultPlan seeded(long seed, int perThousand) {
    Random random = new Random(seed);
    List<Fault> faults =
        List.of(
            Fault.DELAY,
            Fault.TRANSIENT,
            Fault.UNKNOWN_NOT_APPLIED,
            Fault.UNKNOWN_APPLIED,
            Fault.UNKNOWN_LATE);
    return request ->
        random.nextInt(1_000) < perThousand
            ? faults.get(random.nextInt(faults.size()))
            : Fault.NONE;
  }

  /** Returns the plan that crashes at a write, counted from 1: before it is sent, or after. */
  static FaultPlan crashAtWrite(long write, boolean applied) {
    return request ->
        request.kind() == Kind.WRITE && request.writes() == write
            ? applied ? Fault.CRASH_AFTER : Fault.CRASH_BEFORE
            : Fault.NONE;
  }
}
