/** The runner's command line: the only place that prints and decides on exit codes. */
@NullMarked
package dev.kvshift.migrate.cli;

import org.jspecify.annotations.NullMarked;
