/** The migration as a whole: its setup, its running tasks, its status. */
@NullMarked
package dev.kvshift.migrate.internal.host;

import org.jspecify.annotations.NullMarked;
