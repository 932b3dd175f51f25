/**
 * Everything that changes a store: the commit pipeline with its versions, and the operations on
 * collections, gates and locks that it applies.
 */
@NullMarked
package dev.kvshift.legacy.server.internal.commit;

import org.jspecify.annotations.NullMarked;
