/** Scans of whole collections, and the sweep of chunks that no row names. */
@NullMarked
package dev.kvshift.scylla.internal.scan;

import org.jspecify.annotations.NullMarked;
