package dev.kvshift.migrate.api;

import java.time.Duration;

/**
 * How the collection was handed over, and the parts of the pause that writers saw. The longer of
 * {@link #total()} and the rest of the clock's margin above the floor is what a writer waits.
 *
 * @param attempt the attempt that moved it
 * @param attempts how many attempts there were in this run; 0 where an earlier run had moved it
 * @param floor F: versions of the new store lie above it, in microseconds since 1970
 * @param incarnation which life of the target's copy is live
 * @param fenced from asking for the fence until it stood
 * @param drained from there until every change was applied
 * @param tailChecked from there until the last changed keys were read back
 * @param moved from there until the source had handed over
 * @param activated from there until the target's record said so
 */
public record CutoverReport(
    String attempt,
    int attempts,
    long floor,
    long incarnation,
    Duration fenced,
    Duration drained,
    Duration tailChecked,
    Duration moved,
    Duration activated) {
  /** Returns how long writers waited at the fence, at most: until the collection had moved. */
  public Duration total() {
    return fenced.plus(drained).plus(tailChecked).plus(moved);
  }
}
