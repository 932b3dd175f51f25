/** The comparison of both sides: full pass, tail check, key check, repair. */
@NullMarked
package dev.kvshift.migrate.internal.verify;

import org.jspecify.annotations.NullMarked;
