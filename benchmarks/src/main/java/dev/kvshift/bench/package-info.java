/** The command {@code ./check bench}. */
@NullMarked
package dev.kvshift.bench;

import org.jspecify.annotations.NullMarked;
