/** The kit on the in-memory store. */
@NullMarked
package dev.kvshift.testkit.memory;

import org.jspecify.annotations.NullMarked;
