/**
 * The legacy store and its server: fixed partitions, a change log, a gate with its fence, all
 * behind one commit pipeline.
 *
 * <p>Start at {@link dev.kvshift.legacy.server.LegacyServer}; inside, every change goes through
 * {@code CommitPipeline} and every read straight to {@code Database}.
 */
@NullMarked
package dev.kvshift.legacy.server;

import org.jspecify.annotations.NullMarked;
