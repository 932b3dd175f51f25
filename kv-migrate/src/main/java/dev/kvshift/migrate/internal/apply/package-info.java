/** The path from the topic into the target: writes, watermarks, commits and the quarantine. */
@NullMarked
package dev.kvshift.migrate.internal.apply;

import org.jspecify.annotations.NullMarked;
