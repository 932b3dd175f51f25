/**
 * The server of the legacy store, a store with fixed partitions, a change log, and a gate with a
 * fence.
 *
 * <p>Start at {@link dev.kvshift.legacy.server.LegacyServer}. {@code
 * docs/internals/legacy-server.md} shows how the rooms below work together.
 */
@NullMarked
package dev.kvshift.legacy.server;

import org.jspecify.annotations.NullMarked;
