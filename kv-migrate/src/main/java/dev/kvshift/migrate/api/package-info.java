/** The vocabulary of a migration: plan, options, reports, progress and errors. */
@NullMarked
package dev.kvshift.migrate.api;

import org.jspecify.annotations.NullMarked;
