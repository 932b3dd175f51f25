/** From a scan of the source into the target, in tasks that resume. */
@NullMarked
package dev.kvshift.migrate.internal.copy;

import org.jspecify.annotations.NullMarked;
