/**
 * The driver for ScyllaDB and Apache Cassandra: {@code scylla://}. {@link
 * dev.kvshift.scylla.ScyllaProvider} is the only way in; no type of the native driver is part of
 * what it shows.
 */
@NullMarked
package dev.kvshift.scylla;

import org.jspecify.annotations.NullMarked;
