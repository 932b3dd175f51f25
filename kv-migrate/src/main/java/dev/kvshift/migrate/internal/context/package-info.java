/** The base of a run: both sides of the collection, waits and retries, threads, progress. */
@NullMarked
package dev.kvshift.migrate.internal.context;

import org.jspecify.annotations.NullMarked;
