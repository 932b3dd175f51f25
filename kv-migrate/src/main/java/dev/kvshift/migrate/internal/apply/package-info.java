/** From the topic into the target, with watermarks, commit offsets and the quarantine. */
@NullMarked
package dev.kvshift.migrate.internal.apply;

import org.jspecify.annotations.NullMarked;
