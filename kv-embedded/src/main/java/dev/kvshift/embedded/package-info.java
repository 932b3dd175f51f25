/**
 * Real servers without installation, for the demo, tests and benchmarks: a Cassandra node and a
 * Kafka broker, each in a forked JVM of its own with its own class path, folder and ports, bound to
 * loopback. A server dies with the JVM that started it, however that one ends, and a temporary
 * folder goes with it. Needs a POSIX {@code sh}.
 */
@NullMarked
package dev.kvshift.embedded;

import org.jspecify.annotations.NullMarked;
