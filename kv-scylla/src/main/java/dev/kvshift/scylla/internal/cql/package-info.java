/**
 * The CQL of this driver and the bytes that it stores: statements as text, table names, tokens, and
 * the formats of cells and chunks. Nothing here sends anything.
 */
@NullMarked
package dev.kvshift.scylla.internal.cql;

import org.jspecify.annotations.NullMarked;
