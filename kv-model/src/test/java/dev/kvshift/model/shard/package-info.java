/** Tests of the package. */
@NullMarked
package dev.kvshift.model.shard;

import org.jspecify.annotations.NullMarked;
