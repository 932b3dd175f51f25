/**
 * {@code bench copy}, {@code apply}, {@code verify} and {@code scale-out}: the runner against what
 * the stores themselves take for the same work, on a Cassandra node and a Kafka broker.
 */
@NullMarked
package dev.kvshift.bench.runner;

import org.jspecify.annotations.NullMarked;
