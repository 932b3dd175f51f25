/**
 * The one thread that changes anything: the commit pipeline with its versions, and what it decides
 * on: tables, gates, locks.
 */
@NullMarked
package dev.kvshift.legacy.server.internal.commit;

import org.jspecify.annotations.NullMarked;
