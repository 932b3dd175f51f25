/**
 * The interface that drivers implement: one asynchronous, versioned store, keyed by three parts.
 *
 * <p>Start at {@link dev.kvshift.spi.StoreProvider}. Drivers, the sharded store, the transition
 * store and the fault-injecting store all implement {@link dev.kvshift.spi.Store}, so they stack in
 * any order. Services never see this package.
 */
@NullMarked
package dev.kvshift.spi;

import org.jspecify.annotations.NullMarked;
