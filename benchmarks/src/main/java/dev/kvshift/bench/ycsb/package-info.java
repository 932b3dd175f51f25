/** A client for YCSB, the benchmark with which others compare key-value stores. */
@NullMarked
package dev.kvshift.bench.ycsb;

import org.jspecify.annotations.NullMarked;
