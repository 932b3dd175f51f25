/**
 * What runs in the background: trimming of change logs, purging of tombstones, counts and usage
 * statistics.
 */
@NullMarked
package dev.kvshift.legacy.server.internal.retention;

import org.jspecify.annotations.NullMarked;
