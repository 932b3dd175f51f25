/** The hand-over: certificate, fence, drain, move, activate. */
@NullMarked
package dev.kvshift.migrate.internal.cutover;

import org.jspecify.annotations.NullMarked;
