/** Reads of rows, ranges and large values. */
@NullMarked
package dev.kvshift.scylla.internal.read;

import org.jspecify.annotations.NullMarked;
