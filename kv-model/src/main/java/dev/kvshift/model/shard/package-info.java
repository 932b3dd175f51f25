/**
 * The sharded store, which keeps partitions small however large a main key grows.
 *
 * <p>{@link dev.kvshift.model.shard.ShardedStore} goes in front of drivers that do not support
 * large main keys; {@code ShardWalk} explains how ranges are read.
 */
@NullMarked
package dev.kvshift.model.shard;

import org.jspecify.annotations.NullMarked;
