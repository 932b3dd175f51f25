/** {@code bench model}: key encoding and typed collections, under JMH. */
@NullMarked
package dev.kvshift.bench.model;

import org.jspecify.annotations.NullMarked;
