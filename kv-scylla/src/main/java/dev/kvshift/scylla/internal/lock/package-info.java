/** Locks, and the versions of writes that carry one. */
@NullMarked
package dev.kvshift.scylla.internal.lock;

import org.jspecify.annotations.NullMarked;
