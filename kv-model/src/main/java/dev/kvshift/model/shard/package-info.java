/** The sharded store: keeps the partitions of large main keys small. */
@NullMarked
package dev.kvshift.model.shard;

import org.jspecify.annotations.NullMarked;
