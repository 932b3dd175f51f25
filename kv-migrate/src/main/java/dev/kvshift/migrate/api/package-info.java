/**
 * The vocabulary of a migration: its plan and options, its reports, its progress and its errors.
 */
@NullMarked
package dev.kvshift.migrate.api;

import org.jspecify.annotations.NullMarked;
