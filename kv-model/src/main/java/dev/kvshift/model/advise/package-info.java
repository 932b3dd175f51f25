/** The partition advisor: predicts partition sizes for each shard rule. */
@NullMarked
package dev.kvshift.model.advise;

import org.jspecify.annotations.NullMarked;
