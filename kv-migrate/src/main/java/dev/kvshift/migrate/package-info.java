/**
 * Moves a collection from a store with a leader to a store that keeps versions: stream, copy,
 * apply, verify, cut over.
 *
 * <p>Start at {@link dev.kvshift.migrate.Migration}. Stores are used through the SPI only.
 */
@NullMarked
package dev.kvshift.migrate;

import org.jspecify.annotations.NullMarked;
