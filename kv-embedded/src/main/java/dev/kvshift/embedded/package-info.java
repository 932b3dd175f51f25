/**
 * Real servers without installation, for the demo, tests and benchmarks: a Cassandra node or ring,
 * a Kafka broker and the legacy server, each in a forked JVM with its own class path, folder and
 * ports, bound to loopback. A server dies with the JVM that started it, however that one ends, and
 * its temporary folder is deleted.
 */
@NullMarked
package dev.kvshift.embedded;

import org.jspecify.annotations.NullMarked;
