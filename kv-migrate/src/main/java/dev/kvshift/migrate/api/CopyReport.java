package dev.kvshift.migrate.api;

import java.time.Duration;

/**
 * The result of a copy.
 *
 * @param counts the accounting over all runs of the copy
 * @param duration time taken by this run; zero if an earlier run had copied everything
 */
public record CopyReport(CopyCounts counts, Duration duration) {}
