/**
 * The partition advisor: predicts partition sizes under each shard rule and recommends a rule.
 *
 * <p>Start at {@link dev.kvshift.model.advise.PartitionAdvisor}.
 */
@NullMarked
package dev.kvshift.model.advise;

import org.jspecify.annotations.NullMarked;
