package dev.kvshift.testkit.fault;

import dev.kvshift.spi.StoreKey;
import java.util.List;
import java.util.Random;

/**
 * Decides the fate of each request to a {@link FaultInjectingStore}. Called once per request, by
 * one thread at a time, in the order of the requests.
 */
@FunctionalInterface
public interface FaultPlan {
  /** The kind of a request. */
  enum Kind {
    GET,
    WRITE,
    RANGE,
    SCAN
  }

  /**
   * One request.
   *
   * @param number the request's number, from 1, over all collections of the store
   * @param writes number of writes so far, including this request
   * @param kind its kind
   * @param collection the collection's name
   * @param key the key; of a range its main and shard part, of a scan empty
   */
  record Request(long number, long writes, Kind kind, String collection, StoreKey key) {}

  /** Returns the fate of a request. */
  Fault next(Request request);

  /** Returns the plan that serves every request. */
  static FaultPlan none() {
    return request -> Fault.NONE;
  }

  /**
   * Returns the plan that delays or fails requests at random and never crashes.
   *
   * @param perThousand how many of a thousand requests get a fault
   */
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

  /**
   * Returns the plan that crashes at a write.
   *
   * @param write the write's number, from 1
   * @param applied whether the write is applied before the crash
   */
  static FaultPlan crashAtWrite(long write, boolean applied) {
    return request ->
        request.kind() == Kind.WRITE && request.writes() == write
            ? applied ? Fault.CRASH_AFTER : Fault.CRASH_BEFORE
            : Fault.NONE;
  }
}
