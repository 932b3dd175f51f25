/**
 * Typed collections over any store.
 *
 * <p>Start at {@link dev.kvshift.model.Model}, which declares a collection, and {@link
 * dev.kvshift.model.Stores}, which opens the store that a connection string names.
 */
@NullMarked
package dev.kvshift.model;

import org.jspecify.annotations.NullMarked;
