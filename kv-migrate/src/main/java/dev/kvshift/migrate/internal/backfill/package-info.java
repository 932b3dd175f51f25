/** Copies and compares the rows of listed main keys, in the order of the list. */
@NullMarked
package dev.kvshift.migrate.internal.backfill;

import org.jspecify.annotations.NullMarked;
