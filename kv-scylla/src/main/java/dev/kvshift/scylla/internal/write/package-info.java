/** Writes of rows and large values. */
@NullMarked
package dev.kvshift.scylla.internal.write;

import org.jspecify.annotations.NullMarked;
