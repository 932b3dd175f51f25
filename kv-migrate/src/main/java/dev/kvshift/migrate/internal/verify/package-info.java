/** The proof that both sides hold the same: full comparison, tail check, key check, repair. */
@NullMarked
package dev.kvshift.migrate.internal.verify;

import org.jspecify.annotations.NullMarked;
