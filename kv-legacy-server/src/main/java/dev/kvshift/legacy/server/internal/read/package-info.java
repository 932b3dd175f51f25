/** Reads of rows, ranges, scans and changes, beside the commit pipeline. */
@NullMarked
package dev.kvshift.legacy.server.internal.read;

import org.jspecify.annotations.NullMarked;
