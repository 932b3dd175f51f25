/** Keyspaces and tables, the prepared statements of a collection, and the metadata table. */
@NullMarked
package dev.kvshift.scylla.internal.schema;

import org.jspecify.annotations.NullMarked;
