/**
 * Entries in another form than the one in which services read and write them.
 *
 * <p>{@link dev.kvshift.model.mapping.MappedStore} goes in front of a store whose connection string
 * names a {@link dev.kvshift.model.mapping.Mapping}.
 */
@NullMarked
package dev.kvshift.model.mapping;

import org.jspecify.annotations.NullMarked;
