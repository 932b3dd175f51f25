/**
 * {@code bench load}, {@code overhead}, {@code service} and {@code transition}: the ScyllaDB driver
 * against the native driver and DSBulk, on a Cassandra node.
 */
@NullMarked
package dev.kvshift.bench.scylla;

import org.jspecify.annotations.NullMarked;
