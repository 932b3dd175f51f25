/**
 * Background work: trimming of change logs, purging of tombstones, row counts, usage statistics.
 */
@NullMarked
package dev.kvshift.legacy.server.internal.retention;

import org.jspecify.annotations.NullMarked;
