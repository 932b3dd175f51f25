/**
 * The driver for ScyllaDB and Apache Cassandra, {@code scylla://}. {@link
 * dev.kvshift.scylla.ScyllaProvider} is its only public type, and shows no type of the native
 * driver.
 */
@NullMarked
package dev.kvshift.scylla;

import org.jspecify.annotations.NullMarked;
