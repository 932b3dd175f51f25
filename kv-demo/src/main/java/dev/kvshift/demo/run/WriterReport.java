package dev.kvshift.demo.run;

import dev.kvshift.demo.writer.WriterCounts;
import java.time.Duration;

/**
 * The operations of the live writer and how long they took.
 *
 * @param counts its operations
 * @param steadyWrite the time that 99.9 % of its writes did not exceed, except those that were in
 *     flight during a step of a cutover
 * @param connectionString its connection string, without secrets
 */
public record WriterReport(WriterCounts counts, Duration steadyWrite, String connectionString) {}
