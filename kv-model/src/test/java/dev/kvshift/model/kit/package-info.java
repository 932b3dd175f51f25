/** The kit on the sharded store. */
@NullMarked
package dev.kvshift.model.kit;

import org.jspecify.annotations.NullMarked;
