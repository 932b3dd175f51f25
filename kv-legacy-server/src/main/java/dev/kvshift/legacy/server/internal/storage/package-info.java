/**
 * Files and clocks: RocksDB, keys and records as bytes, atomic batches, cursors, free disk space,
 * the leader's time. Knows no collection and no gate.
 */
@NullMarked
package dev.kvshift.legacy.server.internal.storage;

import org.jspecify.annotations.NullMarked;
