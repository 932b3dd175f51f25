/**
 * What all parts of a run share: both sides of the collection, waiting and retrying, threads,
 * progress.
 */
@NullMarked
package dev.kvshift.migrate.internal.context;

import org.jspecify.annotations.NullMarked;
