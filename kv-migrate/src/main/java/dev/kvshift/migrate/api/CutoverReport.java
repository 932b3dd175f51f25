package dev.kvshift.migrate.api;

import java.time.Duration;

/**
 * The result of a cutover.
 *
 * @param attempt the attempt that moved the collection
 * @param attempts attempts made by this run; 0 if an earlier run had moved the collection
 * @param floor F, in microseconds since 1970: the target issues versions above it
 * @param incarnation the live incarnation of the target's collection
 * @param pause how long writers waited
 * @param activated from the move until the target's record was active
 */
public record CutoverReport(
    String attempt,
    int attempts,
    long floor,
    long incarnation,
    WritePause pause,
    Duration activated) {}
