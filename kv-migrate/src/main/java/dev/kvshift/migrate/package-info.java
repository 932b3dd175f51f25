/**
 * The migration of one collection from a store that leads to a store that keeps versions: stream,
 * copy, apply, verify, cut over.
 *
 * <p>Start at {@link dev.kvshift.migrate.Migration}. Stores are met through the SPI only.
 */
@NullMarked
package dev.kvshift.migrate;

import org.jspecify.annotations.NullMarked;
