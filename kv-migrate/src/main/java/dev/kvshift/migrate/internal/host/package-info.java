/** The migration as a whole: prepares it, runs its tasks, reads its status. */
@NullMarked
package dev.kvshift.migrate.internal.host;

import org.jspecify.annotations.NullMarked;
