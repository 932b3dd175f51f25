/** The hand-over of the collection: fence, drain, check, move, activate. */
@NullMarked
package dev.kvshift.migrate.internal.cutover;

import org.jspecify.annotations.NullMarked;
