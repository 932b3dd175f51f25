/**
 * The parts that all benchmarks share: rounds of contenders in random order, samples, goals, load
 * generators and the report.
 */
@NullMarked
package dev.kvshift.bench.measure;

import org.jspecify.annotations.NullMarked;
