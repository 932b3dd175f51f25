/**
 * The cost of a main key as it grows: {@code bench partition-size}, whose contenders alternate in
 * one process, and {@code PartitionSize}, a JMH benchmark for other people's clusters.
 */
@NullMarked
package dev.kvshift.bench.partition;

import org.jspecify.annotations.NullMarked;
