/** The runner's command line: the only place that prints, and that chooses exit codes. */
@NullMarked
package dev.kvshift.migrate.cli;

import org.jspecify.annotations.NullMarked;
