/**
 * The command behind {@code ./check}: the catalogue of checks, the Maven runs that carry them out,
 * and what their reports say. A new check is an entry of {@link dev.kvshift.check.Catalog}.
 */
@NullMarked
package dev.kvshift.check;

import org.jspecify.annotations.NullMarked;
