/** The copy: scans the source in tasks that resume, and writes the rows to the target. */
@NullMarked
package dev.kvshift.migrate.internal.copy;

import org.jspecify.annotations.NullMarked;
