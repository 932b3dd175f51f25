package dev.kvshift.demo.writer;

import java.time.Instant;

/**
 * The interval of a collection's cutover.
 *
 * @param fenced a moment at or before the fence
 * @param released a moment after the collection was handed over
 */
public record CutoverTimes(Instant fenced, Instant released) {}
